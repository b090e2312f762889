"""The options of ``set_device("lava", ...)``, checked and frozen."""

from __future__ import annotations

import difflib
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

#: Chips whose arithmetic a network can run in.
CHIPS = ("Loihi1", "Loihi2")

_CHOICES: dict[str, tuple[str, ...]] = {
    "hardware": ("CPU", "GPU", "Loihi1", "Loihi2"),
    "host": ("lava", "inline"),
    "engine": ("cpu", "numpy"),
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
    hardware : "CPU", "Loihi1" or "Loihi2"
        "CPU" runs the model as written, in floating point; the chips' names run what a chip would
        compute, in its integers. "GPU" is not there yet and raises.
    backend : "auto" or "emulator"
        Where a chip's integers are computed: "auto" is the emulator. "lava" (Lava's own simulation
        for a whole script) and "chip" are not there yet and raise.
    arithmetic : str, Arithmetic or None
        The profile of a chip's integers: "lava", "loihi1", "brian2loihi", or a record of one's
        own; None is "loihi1" for Loihi1 and "lava" for Loihi2.
    overflow : "chip" or "raise"
        Whether states that leave their range wrap and saturate as on the chip, and are counted, or
        raise.
    host : "lava" or "inline"
        A Lava process, or this one (for debuggers and profilers); results are the same.
    engine : "cpu" or "numpy"
        Compiled C++, or Brian2's NumPy code: slow, and the definition of what is right.
    threads : int
        Threads of the compiled engine; results don't depend on it. Where it is not given,
        ``prefs.devices.cpp_standalone.openmp_threads`` is used, which is one thread by default.
    fuse : bool
        Whether operations are run together where that is proved to change nothing.
    granularity : "network"
        One Lava process a network. "object" is not there yet and raises.
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
    backend: str = "auto"
    arithmetic: Any = None
    overflow: str = "chip"
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
            if name not in known:
                raise OptionError(
                    f"set_device('lava', {name}={value!r}): there is no option '{name}'."
                    + _nearest(name, known)
                )
            chosen[name] = _checked(name, value)
        options = cls(**chosen)
        _refuse_unserved(options)
        return options


def _refuse_without_run(name: str, value: Any) -> None:
    if name in ("compile", "run") and value is False:
        raise NotSupported(
            f"set_device('lava', {name}=False): run(...) compiles and executes at once; leave the"
            " argument out."
        )


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
    elif name == "fuse":
        if not isinstance(value, bool):
            raise OptionError(f"set_device('lava', fuse={value!r}): True or False is needed.")
    elif name == "arithmetic" and value is not None:
        from brian2lava.chip.profiles import profile

        profile(value)
    elif name == "seed" and value is not None and not _whole(value):
        raise OptionError(
            f"set_device('lava', seed={value!r}): a whole number, 0 or more, is needed."
        )
    return value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _nearest(name: str, known: Any) -> str:
    by_lower = {str(word).lower(): str(word) for word in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    if close:
        return f" Did you mean '{by_lower[close[0]]}'?"
    return f" There are: {', '.join(sorted(map(str, known)))}."


def _refuse_unserved(options: Options) -> None:
    if options.hardware == "GPU":
        raise NotSupported(
            "set_device('lava', hardware='GPU'): this version has no GPU engine yet; use"
            " hardware='CPU'."
        )
    if options.backend == "chip" and options.hardware in CHIPS:
        from brian2lava.interop.backend import choose_backend

        choose_backend("chip", options.hardware, small=True)  # raises where there is no chip
    if options.backend in ("lava", "chip"):
        raise NotSupported(
            f"set_device('lava', backend={options.backend!r}): a script's network runs in the"
            " emulator; use backend='emulator' (or 'auto'). device.verify(lava=True)"
            " holds it against Lava's own simulation."
        )
    if options.hardware in CHIPS and options.engine == "numpy":
        raise NotSupported(
            "set_device('lava', engine='numpy'): the emulator of a chip is compiled; use"
            " engine='cpu'."
        )
    for name in ("arithmetic", "overflow", "backend"):
        given = getattr(options, name)
        if (
            options.hardware not in CHIPS
            and given != type(options).__dataclass_fields__[name].default
        ):
            raise OptionError(
                f"set_device('lava', {name}={given!r}): that is for chips; add hardware='Loihi2' or"
                " hardware='Loihi1'."
            )
    if options.granularity != "network":
        raise NotSupported(
            "set_device('lava', granularity='object'): this version runs a network as one Lava"
            " process; use granularity='network'."
        )
    if options.mode != "flexible" or options.num_repr != "float":
        raise NotSupported(
            f"set_device('lava', mode={options.mode!r}, num_repr={options.num_repr!r}): this"
            " version runs models as written, in floating point; use mode='flexible' and"
            " num_repr='float'."
        )
