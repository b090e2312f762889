"""What the device does with Brian2's preferences for C++: honour them, or refuse them.

One row a preference; the rows are also the table in ``docs/options.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brian2.core.preferences import prefs

from brian2lava.errors import NotSupported


@dataclass(frozen=True)
class Preference:
    """What happens with one preference.

    ``serves(value)`` tells whether a value can be honoured; ``instead`` is what to do if not.
    """

    name: str
    effect: str
    serves: Callable[[Any], bool] = lambda value: True
    instead: str = ""


def _default(name: str) -> Callable[[Any], bool]:
    group, _, key = name.rpartition(".")
    return lambda value: bool(value == prefs.pref_register[group][0][key].default)


def _only_jobs(arguments: Any) -> bool:
    """Whether arguments for make tell no more than how many jobs to run at once."""
    words = [arguments] if isinstance(arguments, str) else list(arguments)
    return all(str(word).startswith(("-j", "--jobs")) or str(word).isdigit() for word in words)


def _threads(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= 64


_CPP = "codegen.cpp."
_GENERATOR = "codegen.generators.cpp."
_STANDALONE = "devices.cpp_standalone."

PREFERENCES = (
    Preference(
        _CPP + "compiler",
        "honoured: the compiler's name or path; empty, `unix` or `gcc` stand for `$CXX`, else the"
        " first of g++, clang++ and c++ that is found; `msvc` is refused",
        lambda value: value != "msvc",
        "leave it empty or set it to 'unix'; the device compiles with g++ or clang++.",
    ),
    Preference(
        _CPP + "extra_compile_args",
        "honoured, in place of `extra_compile_args_gcc`; `-std=c++17` is added",
    ),
    Preference(_CPP + "extra_compile_args_gcc", "honoured; `-std=c++17` is added"),
    Preference(_CPP + "extra_compile_args_msvc", "for MSVC only, which is refused"),
    Preference(_CPP + "extra_link_args", "honoured"),
    Preference(_CPP + "include_dirs", "honoured; folders that do not exist are left out"),
    Preference(_CPP + "library_dirs", "honoured; folders that do not exist are left out"),
    Preference(_CPP + "runtime_library_dirs", "honoured; folders that do not exist are left out"),
    Preference(_CPP + "libraries", "honoured"),
    Preference(_CPP + "headers", "honoured: included before the model's code"),
    Preference(_CPP + "define_macros", "honoured"),
    Preference(_CPP + "msvc_vars_location", "for MSVC only, which is refused"),
    Preference(_CPP + "msvc_architecture", "for MSVC only, which is refused"),
    Preference(
        _GENERATOR + "restrict_keyword",
        "only its default, `__restrict`: g++ and clang++ know it",
        _default(_GENERATOR + "restrict_keyword"),
        "leave it at its default; g++ and clang++ know '__restrict'.",
    ),
    Preference(
        _GENERATOR + "flush_denormals",
        "denormal numbers are flushed to zero in the run loop, whatever it says",
    ),
    Preference(
        _STANDALONE + "openmp_threads",
        "honoured, where `set_device` gives no `threads`: the number of the engine's threads"
        " (0 is 1); OpenMP itself is not used",
        _threads,
        "use a whole number from 0 to 64.",
    ),
    Preference(
        _STANDALONE + "openmp_spatialneuron_strategy",
        "no effect, as in Brian2",
    ),
    Preference(
        _STANDALONE + "make_cmd_unix",
        "only its default: make is not used",
        _default(_STANDALONE + "make_cmd_unix"),
        "leave it at its default: make is not used. The compiler is chosen by $CXX or"
        " prefs.codegen.cpp.compiler.",
    ),
    Preference(
        _STANDALONE + "extra_make_args_unix",
        "`-j`, `-j4` and so on (a model is compiled in one piece); anything else is refused",
        _only_jobs,
        "leave it at its default: make is not used. For the compiler there is"
        " prefs.codegen.cpp.extra_compile_args.",
    ),
    Preference(_STANDALONE + "extra_make_args_windows", "for MSVC only, which is refused"),
    Preference(
        _STANDALONE + "run_cmd_unix",
        "only its default: there is no program to start",
        lambda value: value in ("./main", ["./main"]),
        "leave it at its default: there is no program to start. To run under a debugger or"
        " profiler, start Python itself with it and use set_device('lava', host='inline').",
    ),
    Preference(
        _STANDALONE + "run_environment_variables",
        "only its default: there is no program to start",
        _default(_STANDALONE + "run_environment_variables"),
        "leave it at its default and set os.environ[...] before the first run(...).",
    ),
)


def check_preferences() -> None:
    """Refuse what can't be honoured.

    Raises
    ------
    NotSupported
        Names the preference, its value, and what to do.
    """
    for preference in PREFERENCES:
        value = prefs[preference.name]
        if not preference.serves(value):
            raise NotSupported(
                f"prefs.{preference.name} = {value!r} has no meaning on the device 'lava':"
                f" {preference.instead}"
            )


def preferred_threads() -> int:
    """The engine's threads, where ``set_device`` gives none: what OpenMP would use."""
    return max(1, int(prefs[_STANDALONE + "openmp_threads"]))
