"""The run configuration that has a graph compiled, and where Lava meets it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2SimCfg

from brian2lava.interop.compiled.runtime import CompiledRuntime


class CompiledCfg(Loihi2SimCfg):
    """Runs a graph of Lava's processes in compiled code.

    ``process.run(RunSteps(n), run_cfg=brian2lava.CompiledCfg(select_tag="fixed_pt"))`` selects the
    models that ``Loihi2SimCfg`` would, and gives their results. Library processes are compiled;
    others keep their Python models, which run in this process, in the same steps.

    Parameters
    ----------
    select_tag, select_sub_proc_model, exception_proc_model_map, custom_sync_domains, loglevel
        As ``Loihi2SimCfg`` has them.
    compile_models : bool
        False: nothing is compiled; all models run in Python, in this process.
    """

    def __init__(self, *arguments: Any, compile_models: bool = True, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.compile_models = compile_models


def _served(run_cfg: Any) -> bool:
    """Whether a run configuration is one of ours."""
    return isinstance(run_cfg, CompiledCfg)


def serve() -> None:
    """Give graphs that are run with :class:`CompiledCfg` a runtime of ours. Can be repeated."""
    original = AbstractProcess.create_runtime
    if getattr(original, "serves_compiled", False):
        return
    AbstractProcess.create_runtime = _serving(original)


def _serving(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def create_runtime(
        self: Any, run_cfg: Any = None, executable: Any = None, compile_config: Any = None
    ) -> None:
        if executable is not None or not _served(run_cfg):
            original(self, run_cfg, executable, compile_config)
            return
        executable = self.compile(run_cfg, compile_config)
        runtime = CompiledRuntime(executable, getattr(run_cfg, "compile_models", True))
        self._runtime = runtime
        executable.assign_runtime_to_all_processes(runtime)

    create_runtime.serves_compiled = True  # type: ignore[attr-defined]
    return create_runtime
