"""The options of ``set_device("lava", ...)``, checked and frozen."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any

from brian2lava.errors import NotSupported, OptionError

#: Names that Brian2 and standalone scripts pass; they are accepted and change nothing here.
IGNORED = frozenset(
    {
        "directory",
        "with_output",
        "compile",
        "run",
        "debug",
        "clean",
        "additional_source_files",
        "run_args",
        "results_directory",
        "direct_call",
        "native",
        "build_on_run",
        "profile",
    }
)

_CHOICES: dict[str, tuple[str, ...]] = {
    "hardware": ("CPU", "GPU", "Loihi1", "Loihi2"),
    "host": ("lava", "inline"),
    "engine": ("cpu", "numpy"),
    "granularity": ("network", "object"),
    "mode": ("flexible", "preset"),
    "num_repr": ("float", "fixed"),
}


@dataclass(frozen=True)
class Options:
    """How networks run.

    Attributes
    ----------
    hardware : "CPU"
        Where the model runs. "GPU", "Loihi1" and "Loihi2" are not there yet and raise.
    host : "lava" or "inline"
        A Lava process, or this one (for debuggers and profilers); results are the same.
    engine : "cpu" or "numpy"
        Compiled C++, or Brian2's NumPy code: slow, and the definition of what is right.
    threads : int
        Threads of the compiled engine; results don't depend on it.
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
            if name in IGNORED:
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
    elif name == "seed" and value is not None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise OptionError(
                f"set_device('lava', seed={value!r}): a whole number, 0 or more, is needed."
            )
    return value


def _nearest(name: str, known: Any) -> str:
    by_lower = {str(word).lower(): str(word) for word in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    if close:
        return f" Did you mean '{by_lower[close[0]]}'?"
    return f" There are: {', '.join(sorted(map(str, known)))}."


def _refuse_unserved(options: Options) -> None:
    if options.hardware != "CPU":
        raise NotSupported(
            f"set_device('lava', hardware={options.hardware!r}): this version runs on the CPU"
            " only; use hardware='CPU'."
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
