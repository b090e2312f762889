"""One file a measure; each has `measure(plan)`, which yields the rows of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..plan import Plan
from ..table import Row
from . import (
    chip_accuracy,
    emulator,
    first_run,
    fit,
    import_time,
    initialisation,
    memory,
    run_loop,
    second_run,
    threads,
)

MEASURES: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "first_run": first_run.measure,
    "run_loop": run_loop.measure,
    "threads": threads.measure,
    "memory": memory.measure,
    "second_run": second_run.measure,
    "import_time": import_time.measure,
    "initialisation": initialisation.measure,
    "emulator": emulator.measure,
    "chip_accuracy": chip_accuracy.measure,
    "fit": fit.measure,
}
