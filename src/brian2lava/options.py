"""The options of ``set_device("lava", ...)``, checked and frozen."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from brian2lava.errors import NotSupported, OptionError

#: Arguments of Brian2's standalone mode, and what the device does with them; they are also a table
#: in docs/options.md.
STANDALONE: dict[str, str] = {
    "build_on_run": "`False` allows `device.build()`; `run()` executes at once in any case",
    "directory": "where `results_directory` and the files that `run_args` name are; `None` makes a"
    " temporary one when it is needed",
    "results_directory": "a relative path: the values of all arrays are written there after a run",
    "run_args": 'values at the start of the first run, as a list of `"group.variable=value"`',
    "with_output": "`False`: no report is printed",
    "profile": "the default of `run(profile=...)`",
    "additional_source_files": "C++ files, compiled and linked with the model",
    "compile": "`False` is refused: `run()` executes at once",
    "run": "`False` is refused in `set_device`; `device.build(run=False)` does nothing",
    "debug": "no effect: use `prefs.codegen.cpp.extra_compile_args`",
    "clean": "no effect: a model is compiled when its code or the compiler's arguments changed",
    "native": "no effect: use `prefs.codegen.cpp.extra_compile_args`",
    "direct_call": "no effect; Brian2 uses it internally",
}

#: Arguments of Brian2Lava 1.0 beta that need no option here, and what the device does with them;
#: also a table in docs/options.md.
BETA: dict[str, str] = {
    "models_dir": "a folder of preset models: those described by a `model.json` can be imported"
    " from `brian2lava.preset_mode.model_loader`; their Lava processes are not used",
    "print_models": "`True` prints the preset models",
    "binary_accuracy": "no effect: the search for a scale uses all bits of the registers",
    "decimal_accuracy": "no effect, as `binary_accuracy`",
    "use_exp_array": "no effect: a pathway has one weight exponent for each sign;"
    " `device.report()` says what that costs",
    "lava_proc_dir": "no effect: no other Lava processes are needed",
    "project_path": "no effect: no workspace is written",
    "variable_updating_disabled": "no effect: reading values takes no time",
}

#: Chips whose arithmetic a network can run in.
CHIPS = ("Loihi1", "Loihi2")

_CHOICES: dict[str, tuple[str, ...]] = {
    "hardware": ("CPU", "GPU", "Loihi1", "Loihi2"),
    "host": ("lava", "inline"),
    "engine": ("cpu", "cuda", "numpy"),
    "granularity": ("network", "object"),
    "mode": ("flexible", "preset"),
    "num_repr": ("float", "fixed"),
    "overflow": ("chip", "raise"),
    "backend": ("auto", "emulator", "lava", "chip"),
}


@dataclass(frozen=True)
class Options:
    """How networks run.

    Attributes
    ----------
    hardware : "CPU", "GPU", "Loihi1" or "Loihi2"
        "CPU" and "GPU" run the model as written, in floating point; the chips' names run what a
        chip would compute, in its integers. "GPU" needs an NVIDIA card and CuPy.
    backend : "auto", "emulator", "lava" or "chip"
        Where a chip's integers are computed: in the emulator; in Lava's own processes, step by
        step, for small networks; on the chip, with Intel's extension of Lava. "auto" is the chip
        where that extension is installed, else the emulator.
    arithmetic : str, Arithmetic or None
        The profile of a chip's integers: "lava", "loihi1", "brian2loihi", or a record of one's
        own; None is "loihi1" for Loihi1 and "lava" for Loihi2.
    mode : "flexible" or "preset"
        Of Brian2Lava 1.0 beta. Any model runs in both; "preset" makes ``num_repr="fixed"`` the
        default.
    num_repr : "float" or "fixed"
        "fixed" computes in a chip's integers: with ``hardware="CPU"`` in those of Loihi2. A chip's
        name as ``hardware`` implies it.
    use_f2f : True or False
        Whether the integers are found for the model's values, in whatever units they are;
        "model_wise" and "generic" are True. False, which says that the values are a chip's
        integers already, raises where ``num_repr`` is "fixed".
    scales : dict of group name to number, or None
        For a chip: how many of its state units one unit of the voltage is, for groups where that
        shall not be searched for. With it, values that mean certain registers get just these.
    overflow : "chip" or "raise"
        Whether states that leave their range wrap and saturate as on the chip, and are counted, or
        raise.
    host : "lava" or "inline"
        A Lava process, or this one (for debuggers and profilers); results are the same.
    engine : "cpu", "cuda" or "numpy"
        Compiled C++; kernels of an NVIDIA card, which ``hardware="GPU"`` implies, and with which a
        chip's arithmetic runs there, too; or Brian2's NumPy code: slow, and the definition of what
        is right.
    threads : int
        Threads of the compiled engine; results don't depend on it. Where it is not given,
        ``prefs.devices.cpp_standalone.openmp_threads`` is used, which is one thread by default.
    fuse : bool
        Whether operations are run together where that is proved to change nothing.
    granularity : "network" or "object"
        One Lava process a network, or one a Brian2 object, with ports; results are the same.
        "object" costs Lava's protocol in every step: it is for looking, and for connecting.
    deterministic : bool
        The same bits in every run, on every processor and every graphics card: sums of what
        arrives at one neuron are made in Brian2's order, every operation is rounded by itself, and
        ``exp``, ``sin`` and their like are brian2lava's own. Slower. Functions of a user's own that
        call other ones of the system (``erf``) are as equal as those.
    emulate : bool
        For ``engine="cuda"``: the card's kernels are compiled for the processor and run thread by
        thread. Slow; to look into them where there is no card.
    seed : int or None
        As ``seed(...)`` right after ``set_device``.
    """

    hardware: str = "CPU"
    host: str = "lava"
    engine: str = "cpu"
    threads: int = 1
    fuse: bool = True
    granularity: str = "network"
    mode: str = "flexible"
    num_repr: str = "float"
    use_f2f: bool = True
    backend: str = "auto"
    arithmetic: Any = None
    scales: Any = None
    overflow: str = "chip"
    deterministic: bool = False
    emulate: bool = False
    seed: int | None = None

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Options:
        """Options from keyword arguments.

        Raises
        ------
        OptionError
            An unknown name or value; the message has the nearest valid one.
        NotSupported
            A valid value that this version can't serve.
        """
        known = {field.name for field in fields(cls)}
        chosen = {}
        for name, value in given.items():
            if name in STANDALONE:
                _refuse_without_run(name, value)
                continue
            if name in BETA:
                continue
            if name not in known:
                raise OptionError(
                    f"set_device('lava', {name}={value!r}): there is no option '{name}'."
                    + _nearest(name, known | BETA.keys())
                )
            chosen[name] = _checked(name, value)
        options = cls(**_with_numbers(chosen))
        _refuse_unserved(options)
        return options


def _refuse_without_run(name: str, value: Any) -> None:
    if name in ("compile", "run") and value is False:
        raise NotSupported(
            f"set_device('lava', {name}=False): run(...) compiles and executes at once; leave the"
            " argument out."
        )


def _with_numbers(chosen: dict[str, Any]) -> dict[str, Any]:
    """The options with what mode, num_repr, hardware and engine say about one another."""
    chosen = _with_card(chosen)
    fixed = chosen.get("mode") == "preset" or chosen.get("hardware") in CHIPS
    chosen = {"num_repr": "fixed" if fixed else "float", **chosen}
    if chosen["num_repr"] == "float":
        if chosen.get("hardware") in CHIPS:
            raise OptionError(
                f"set_device('lava', hardware={chosen['hardware']!r}, num_repr='float'): a chip"
                " computes in integers; leave num_repr out, or use hardware='CPU'."
            )
        return chosen
    if chosen.get("use_f2f") is False:
        raise NotSupported(
            "set_device('lava', use_f2f=False): the registers of a chip can't be given as the"
            " values of a Brian2 model, for a chip counts its voltage from the reset, in 64ths of"
            " its threshold's and weights' unit, and its decays in 4096ths of a step. With"
            " use_f2f=True, or without the argument, registers are found for the values as they"
            " are, whole numbers too. To give registers themselves, use LoihiNeuronGroup and"
            " LoihiSynapses of brian2lava.loihi."
        )
    if chosen.get("hardware", "CPU") == "CPU":
        chosen["hardware"] = "Loihi2"
    return chosen


def _with_card(chosen: dict[str, Any]) -> dict[str, Any]:
    """A graphics card as hardware is its engine, and the other way round."""
    if chosen.get("hardware") == "GPU":
        engine = chosen.get("engine", "cuda")
        if engine != "cuda":
            raise OptionError(
                f"set_device('lava', hardware='GPU', engine={engine!r}): a card runs its own"
                " kernels; leave engine out."
            )
        return {**chosen, "engine": "cuda"}
    if chosen.get("engine") == "cuda":
        hardware = chosen.get("hardware", "GPU")
        if hardware == "CPU":
            raise OptionError(
                "set_device('lava', hardware='CPU', engine='cuda'): that engine is for graphics"
                " cards; use hardware='GPU', or leave engine out."
            )
        return {**chosen, "hardware": hardware}
    return chosen


def _checked(name: str, value: Any) -> Any:
    if name in _CHOICES:
        choices = _CHOICES[name]
        if value not in choices:
            raise OptionError(
                f"set_device('lava', {name}={value!r}): the values are"
                f" {', '.join(map(repr, choices))}." + _nearest(str(value), choices)
            )
    elif name == "threads":
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 64:
            raise OptionError(
                f"set_device('lava', threads={value!r}): a whole number from 1 to 64 is needed."
            )
    elif name == "use_f2f":
        if not isinstance(value, bool) and value not in ("model_wise", "generic"):
            raise OptionError(
                f"set_device('lava', use_f2f={value!r}): True or False is needed ('model_wise' and"
                " 'generic' are True)."
            )
        return bool(value)
    elif name in ("fuse", "deterministic", "emulate"):
        if not isinstance(value, bool):
            raise OptionError(f"set_device('lava', {name}={value!r}): True or False is needed.")
    elif name == "arithmetic" and value is not None:
        from brian2lava.chip.profiles import profile

        profile(value)
    elif name == "scales" and value is not None:
        return _numbers_by_group(value)
    elif name == "seed" and value is not None and not _whole(value):
        raise OptionError(
            f"set_device('lava', seed={value!r}): a whole number, 0 or more, is needed."
        )
    return value


def _numbers_by_group(value: Any) -> dict[str, float]:
    good = isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(scale, int | float) and 0 < scale < math.inf
        for name, scale in value.items()
    )
    if not good:
        raise OptionError(
            f"set_device('lava', scales={value!r}): a number above 0 for each name of a group is"
            " needed, for example scales={'neurongroup': 524288}."
        )
    return {name: float(scale) for name, scale in value.items()}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _nearest(name: str, known: Any) -> str:
    by_lower = {str(word).lower(): str(word) for word in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    if close:
        return f" Did you mean '{by_lower[close[0]]}'?"
    return f" There are: {', '.join(sorted(map(str, known)))}."


def _refuse_unserved(options: Options) -> None:
    if options.engine == "cuda":
        _refuse_without_card(options)
    if options.emulate and options.engine != "cuda":
        raise OptionError(
            "set_device('lava', emulate=True): that is for graphics cards; add hardware='GPU'."
        )
    if options.deterministic and options.engine == "numpy":
        raise OptionError(
            "set_device('lava', deterministic=True, engine='numpy'): NumPy's functions differ"
            " between processors; leave engine out."
        )
    if options.backend in ("lava", "chip") and options.hardware in CHIPS:
        from brian2lava.interop.backend import choose_backend

        choose_backend(options.backend, options.hardware, small=True)  # raises where it is not
    if options.hardware in CHIPS and options.engine == "numpy":
        raise NotSupported(
            "set_device('lava', engine='numpy'): the emulator of a chip is compiled; use"
            " engine='cpu'."
        )
    for name in ("arithmetic", "scales", "overflow", "backend"):
        given = getattr(options, name)
        if (
            options.hardware not in CHIPS
            and given != type(options).__dataclass_fields__[name].default
        ):
            raise OptionError(
                f"set_device('lava', {name}={given!r}): that is for chips; add hardware='Loihi2' or"
                " hardware='Loihi1'."
            )
    if options.granularity == "object":
        _refuse_in_parts(options)


def _refuse_without_card(options: Options) -> None:
    from brian2lava.engine.cuda.present import why_no_card

    reason = None if options.emulate else why_no_card()
    if reason is not None:
        asked = "hardware='GPU'" if options.hardware == "GPU" else "engine='cuda'"
        raise NotSupported(
            f"set_device('lava', {asked}): {reason}. Without {asked} the same network runs on the"
            " processor; emulate=True runs the card's kernels there, slowly."
        )


def _refuse_in_parts(options: Options) -> None:
    """What can't be together with a process for each object."""
    for name, needed in (("host", "lava"), ("engine", "cpu"), ("hardware", "CPU")):
        given = getattr(options, name)
        if given != needed:
            raise NotSupported(
                f"set_device('lava', granularity='object', {name}={given!r}): a process for each"
                f" object needs {name}={needed!r}; otherwise use granularity='network'."
            )
