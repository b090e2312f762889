"""Any graph of Lava's processes, compiled behind Lava's own interface.

::

    process.run(RunSteps(n), run_cfg=CompiledCfg())
        │ Lava's compiler: processes, models, hierarchies, virtual ports
        ▼
    members ──> plan ──> steps          (what Lava's Runtime is to its own graphs: runtime)
    models and  compiled  one loop over a table of operations;
    channels    or not    Python models in between, where there are some

The models are Lava's own objects and hold the state; a *row* (:mod:`.rows`) says which compiled
operations do what a model's Python does. A process without a row, or with values for which the row
is not exact, keeps its Python model: it is called in the same step, so it is never later than in
Lava. ``CompiledCfg(compile_models=False)`` has no rows at all: the definition.
"""

from __future__ import annotations

from brian2lava.errors import NotSupported
from brian2lava.processes.shim import import_lava

try:
    import_lava()
except ImportError as problem:
    raise NotSupported(
        f"CompiledCfg needs Lava ({problem}). Install it: pip install --ignore-requires-python"
        " lava-nc==0.10.0"
    ) from problem

from brian2lava.interop.compiled.config import CompiledCfg, serve
from brian2lava.interop.compiled.runtime import CompiledRuntime

serve()

__all__ = ["CompiledCfg", "CompiledRuntime"]
