"""Many cells fitted with many candidates: a queue that survives, a table, distributions."""

from brian2lava.fit.many.cells import Cell, pattern_cells
from brian2lava.fit.many.queue import Many, ManyProgress
from brian2lava.fit.many.result import Distribution, ManyResult, Summary
from brian2lava.fit.many.rows import Row
from brian2lava.fit.many.whole import fit_many

__all__ = [
    "Cell",
    "Distribution",
    "Many",
    "ManyProgress",
    "ManyResult",
    "Row",
    "Summary",
    "fit_many",
    "pattern_cells",
]
