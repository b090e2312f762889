"""Brian2's compiler preferences -> a toolchain; compile errors -> the Brian2 object and code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from brian2.core.preferences import prefs

from brian2lava.engine.cpu.render import Source
from brian2lava.engine.cpu.toolchain import (
    Built,
    Toolchain,
    build,
    compiler_version,
    failing_operation,
    find_compiler,
)
from brian2lava.errors import CompileError, NotSupported
from brian2lava.program import step_program as program


def compiler_path() -> str | None:
    """The compiler that runs: the preference ``codegen.cpp.compiler``, or what is found."""
    chosen = prefs["codegen.cpp.compiler"]
    if chosen in ("", "unix", "gcc"):
        return find_compiler()
    if chosen == "msvc":
        raise NotSupported(
            "prefs.codegen.cpp.compiler = 'msvc': the device 'lava' compiles with g++ or clang++;"
            " set the preference to 'unix' or leave it empty."
        )
    return shutil.which(chosen)


def current_compiler() -> str:
    """The compiler's version, for reports."""
    path = compiler_path()
    return "none was found" if path is None else compiler_version(path)


def toolchain(extra: dict[str, list[str]] | None = None, exact: bool = False) -> Toolchain:
    """The compiler with the arguments that Brian2's preferences and user functions ask for.

    With ``exact`` operations keep their order and roundings, whatever the preferences say.
    """
    extra = extra or {}
    path = compiler_path()
    if path is None:
        raise CompileError("no C++ compiler was found; install g++ (Debian: apt install g++).")
    arguments = prefs["codegen.cpp.extra_compile_args"]
    if arguments is None:
        arguments = prefs["codegen.cpp.extra_compile_args_gcc"]
    include = [*prefs["codegen.cpp.include_dirs"], *extra.get("include_dirs", [])]
    folders = [*prefs["codegen.cpp.library_dirs"], *extra.get("library_dirs", [])]
    at_run = [*prefs["codegen.cpp.runtime_library_dirs"], *extra.get("runtime_library_dirs", [])]
    libraries = [*prefs["codegen.cpp.libraries"], *extra.get("libraries", [])]
    macros = [*prefs["codegen.cpp.define_macros"], *extra.get("define_macros", [])]
    return Toolchain(
        compiler=path,
        compile_args=(
            *arguments,
            *(f"-I{folder}" for folder in _unique(include) if os.path.isdir(folder)),
            *(f"-D{name}" if value is None else f"-D{name}={value}" for name, value in macros),
        ),
        link_args=(
            *(f"-L{folder}" for folder in _unique(folders) if os.path.isdir(folder)),
            *(f"-Wl,-rpath,{folder}" for folder in _unique(at_run) if os.path.isdir(folder)),
            *(f"-l{library}" for library in _unique(libraries)),
            *prefs["codegen.cpp.extra_link_args"],
        ),
        sources=tuple(_unique(extra.get("sources", []))),
        exact=exact,
    )


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(str(word) for word in words))


def compile_program(
    source: Source,
    step_program: program.StepProgram,
    extra: dict[str, list[str]] | None = None,
    exact: bool = False,
) -> Built:
    """The library of a program.

    Raises
    ------
    CompileError
        With the compiler's message, and the Brian2 object and code that it is about.
    """
    with naming_operation(step_program):
        return build(source.text, toolchain(extra, exact))


@contextmanager
def naming_operation(step_program: program.StepProgram) -> Iterator[None]:
    """A compiler's error names the Brian2 object and code that it is about."""
    try:
        yield
    except CompileError as error:
        k = failing_operation(str(error))
        if k is None or k >= len(step_program.operations):
            raise
        operation = step_program.operations[k]
        raise CompileError(
            f"the C++ code of {operation.origin.object_name!r} does not compile. Its code is\n"
            f"{operation.origin.code}\n\nThe compiler says:\n{error}"
        ) from error
