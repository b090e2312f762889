"""Runs somebody's Brian2 script, which need not mention Lava, on the Lava device."""

from __future__ import annotations

import builtins
import importlib.machinery
import inspect
import os
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import brian2
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices

import brian2lava  # noqa: F401  (importing it registers the device)

STANDARD_INPUT = "-"


def read_script(script: str) -> bytes:
    """The text of the file ``script``, or standard input's if it is ``-``. Raises OSError."""
    if script == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    return Path(script).read_bytes()


def run_script(
    script: str, source: bytes, arguments: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Runs ``source`` as ``python script arguments`` would, on the Lava device.

    Parameters
    ----------
    script
        Path of the Python file that ``source`` was read from, or ``-``.
    source
        The script's text, undecoded: Python's own rules say what its encoding is.
    arguments
        What the script finds in ``sys.argv[1:]``.
    options
        What ``set_device("lava", ...)`` got already. They win over what the script itself asks of
        the Lava device.

    Raises
    ------
    SystemExit, Exception
        What the script raised. An exception was then already shown, with the traceback that Python
        would have shown, and Python will not show it again.
    """
    name = "<stdin>" if script == STANDARD_INPUT else os.path.abspath(script)
    module = _become_main(script, arguments)
    _answer_set_device(options)
    try:
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        _show_as_python_does(error)


def choose_lava(options: Mapping[str, Any]) -> None:
    """``set_device("lava", **options)``; raises what it raises for unknown options."""
    brian2.set_device("lava", **options)


def print_report() -> None:
    """Where and how the script ran, on standard error."""
    print(brian2.device.report(), file=sys.stderr)


def _become_main(script: str, arguments: Sequence[str]) -> types.ModuleType:
    """Puts an empty ``__main__`` and the script's ``sys.argv`` and ``sys.path[0]`` in place."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    folder = ""
    if script != STANDARD_INPUT:
        path = os.path.abspath(script)
        folder = os.path.dirname(os.path.realpath(script))
        module.__file__ = path
        module.__dict__["__cached__"] = None
        module.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    sys.modules["__main__"] = module
    sys.argv = [script, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder
    return module


def _show_as_python_does(error: BaseException) -> NoReturn:
    """Shows the traceback without our own frame, then lets Python end in its own way.

    An uncaught exception has to reach the interpreter, which decides the exit code (after Ctrl-C
    the process ends by SIGINT, which a shell's loop looks at).
    """
    traceback = error.__traceback__.tb_next if error.__traceback__ else None
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)
    sys.excepthook = lambda *_: None
    raise error


def _answer_set_device(options: Mapping[str, Any]) -> None:
    """Replaces ``set_device`` wherever Brian2 offers it: see `lava_in_place_of`."""
    original = brian2.set_device

    def set_device(device: Any, build_on_run: bool = True, **settings: Any) -> None:
        device, settings, message = lava_in_place_of(device, settings, options)
        if message:
            caller = inspect.stack()[1]
            print(f"brian2lava: {caller.filename}:{caller.lineno}: {message}", file=sys.stderr)
        original(device, build_on_run=build_on_run, **settings)

    set_device.__doc__ = original.__doc__
    _replace_in_brian2(original, set_device)


def _replace_in_brian2(original: Callable[..., Any], replacement: Callable[..., Any]) -> None:
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "brian2" and getattr(module, "set_device", None) is original:
            module.set_device = replacement  # type: ignore[attr-defined]


def lava_in_place_of(
    device: Any, settings: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], str | None]:
    """What a script's own ``set_device(device, **settings)`` does under ``brian2lava run``.

    - ``"lava"``: as the script says; where the command line names a setting too, that one counts;
    - ``"runtime"``: stays, for scripts that compare; a message says that this part is not on Lava;
    - any other (``"cpp_standalone"`` and its kin): Lava in its place, with the settings that a
      standalone build knows.

    Returns
    -------
    device, settings
        For Brian2's ``set_device``.
    message
        For the user; None where there is nothing to say.
    """
    name = _name_of(device)
    if name == "lava":
        return device, {**settings, **options}, None
    if name == "runtime":
        return (
            device,
            dict(settings),
            "the script chooses 'runtime': what follows runs there, not on Lava.",
        )
    known = inspect.signature(CPPStandaloneDevice.build).parameters
    kept = {key: value for key, value in settings.items() if key in known}
    message = f"the script asks for the device '{name}' and gets Lava in its place"
    left_out = sorted(settings.keys() - kept.keys())
    if left_out:
        message += f", without {', '.join(left_out)}"
    return "lava", {**kept, **options}, message + ". To have it as written, run it with python."


def _name_of(device: Any) -> str:
    if isinstance(device, str):
        return device
    names = (name for name, known in all_devices.items() if known is device)
    return next(names, type(device).__name__)
