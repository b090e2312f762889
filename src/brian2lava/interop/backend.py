"""Where a chip network runs: our emulator, Lava's simulation, or the chip itself.

Intel's extension of Lava (lava-loihi, for members of its research community) is looked for before
anything of it is imported: without it, Lava's configurations for hardware fail with a NameError.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any, Literal

from brian2lava.errors import NotSupported, OptionError
from brian2lava.processes.shim import install

Backend = Literal["emulator", "lava", "chip"]

BACKENDS = ("auto", "emulator", "lava", "chip")
#: Chip -> Lava's run configuration for it.
CONFIGURATIONS = {"Loihi1": "Loihi1HwCfg", "Loihi2": "Loihi2HwCfg"}
#: What Lava's configurations for hardware import from the extension.
_CHIP_MODELS = ("lava.magma.core.model.c.model", "lava.magma.core.model.nc.model")


def missing_for_chip() -> str:
    """What is missing to run on a chip; empty if nothing is."""
    install()
    if not _found("lava"):
        return "lava-nc is not installed"
    from lava.utils.loihi import is_installed

    if not is_installed():
        return (
            "Intel's extension of Lava, lava-loihi (module lava.utils.loihi2_profiler), is not"
            " installed; members of Intel's research community get it from Intel"
        )
    absent = [module for module in _CHIP_MODELS if not _found(module)]
    if absent:
        return f"Intel's extension of Lava is installed in part: {', '.join(absent)} is missing"
    return ""


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # a package above it is missing
        return False


def choose_backend(requested: str, hardware: str, small: bool) -> tuple[Backend, str]:
    """Where to run, and why.

    Parameters
    ----------
    requested : "auto", "emulator", "lava" or "chip"
    hardware : "Loihi1" or "Loihi2"
    small : bool
        Whether Lava's messages are affordable for the network.

    Returns
    -------
    backend, reason

    Raises
    ------
    NotSupported
        What was asked for cannot be had here: says what is missing.
    OptionError
        There is no such backend or chip.
    """
    if requested not in BACKENDS:
        raise OptionError(
            f"backend={requested!r}: the backends are {', '.join(map(repr, BACKENDS))}."
        )
    _check_chip(hardware)
    if requested == "emulator":
        return "emulator", "it was asked for"
    if requested == "lava":
        return "lava", _lava_reason(small)
    missing = missing_for_chip()
    if not missing:
        return "chip", f"{CONFIGURATIONS[hardware]}: Intel's extension of Lava is installed"
    if requested == "auto":
        return "emulator", f"no chip: {missing}"
    raise NotSupported(
        f"backend='chip' for {hardware}: {missing}. backend='emulator' computes the same integers"
        " here."
    )


def _lava_reason(small: bool) -> str:
    install()
    if not _found("lava"):
        raise NotSupported(
            "backend='lava': lava-nc is not installed (pip install lava-nc). backend='emulator'"
            " computes the same integers without it."
        )
    slow = "" if small else "; for a network of this size Lava's messages take long"
    return f"it was asked for{slow}"


def _check_chip(hardware: str) -> None:
    if hardware not in CONFIGURATIONS:
        raise OptionError(
            f"hardware={hardware!r}: the chips are {', '.join(map(repr, CONFIGURATIONS))}."
        )


def hardware_run_config(hardware: str, **options: Any) -> Any:
    """Lava's run configuration that selects models for a chip.

    Parameters
    ----------
    hardware : "Loihi1" or "Loihi2"
    options
        Of ``Loihi1HwCfg`` and ``Loihi2HwCfg``, such as ``exception_proc_model_map``.

    Raises
    ------
    NotSupported
        Intel's extension is not installed: says what is missing.
    """
    _check_chip(hardware)
    missing = missing_for_chip()
    if missing:
        raise NotSupported(
            f"{CONFIGURATIONS[hardware]}: {missing}. brian2lava's emulator (backend='emulator')"
            " computes the same integers here."
        )
    from lava.magma.core import run_configs

    return getattr(run_configs, CONFIGURATIONS[hardware])(**options)


def chip_run_config(processes: Iterable[Any], hardware: str) -> Any:
    """Lava's run configuration for a chip; what has no model there runs in fixed point beside it.

    By themselves, Lava's configurations for hardware take the first model of such processes, which
    may be one in floating point.

    Parameters
    ----------
    processes : iterable of Lava processes
    hardware : "Loihi1" or "Loihi2"
    """
    chosen = selected_models(processes, hardware_run_config(hardware))
    from lava.magma.core.model.py.model import AbstractPyProcessModel
    from lava.magma.core.run_configs import AbstractNcProcessModel, Loihi2SimCfg

    beside = [
        process
        for process, model in chosen.items()
        if issubclass(model, AbstractPyProcessModel)
        and not issubclass(model, AbstractNcProcessModel)
    ]
    fixed = selected_models(beside, Loihi2SimCfg(select_tag="fixed_pt"))
    exceptions = {type(process): model for process, model in fixed.items()}
    return hardware_run_config(hardware, exception_proc_model_map=exceptions)


def selected_models(processes: Any, run_config: Any) -> dict[Any, Any]:
    """Process -> the model that ``run_config`` selects for it, before anything is compiled.

    Parameters
    ----------
    processes : iterable of Lava processes
        For example those of a :class:`~brian2lava.interop.lava_graph.LavaGraph`.
    run_config
        One of Lava's run configurations.
    """
    install()
    from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs

    return {
        process: run_config.select(process, ProcGroupDiGraphs._find_proc_models(process))
        for process in processes
    }
