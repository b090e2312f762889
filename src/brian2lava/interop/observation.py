"""What is noted while Lava's processes run, in memory that they share with the program.

Nothing travels through Lava's channels for it, and no class of Lava's is derived from: the model
that a builder makes, in the process that Lava starts, is given a watched ``run_spk``.
"""

from __future__ import annotations

import mmap
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.network import Integers
from brian2lava.errors import EngineError

#: Room for the text of what went wrong in a process (bytes).
_TEXT_BYTES = 1 << 14
#: The phases of Lava's protocol that are a model's own code.
_LATER_PHASES = ("run_pre_mgmt", "run_lrn", "run_post_mgmt")


def shared_array(shape: tuple[int, ...], kind: Any) -> Integers:
    """Zeros that forked processes share; no file, and gone with the last who holds it."""
    count = int(np.prod(shape, dtype=np.int64))
    memory = mmap.mmap(-1, max(1, count * np.dtype(kind).itemsize))
    return np.frombuffer(memory, kind, count).reshape(shape)


class Failures:
    """Why processes failed: a text for each, written where it happens.

    Parameters
    ----------
    names : sequence of str
        What the processes are called in messages.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._texts = shared_array((len(names), _TEXT_BYTES), np.uint8)

    def note(self, process: int, error: BaseException) -> None:
        """Called in the process, within the handling of ``error``."""
        head = f"{type(error).__name__}: {error}\n\n{traceback.format_exc()}"
        text = head.encode("utf-8", "replace")[: _TEXT_BYTES - 1]
        row = self._texts[process]
        row[1 : len(text)] = np.frombuffer(text, np.uint8)[1:]
        row[0] = text[0]  # last: whoever sees it finds the rest

    def check(self) -> None:
        """Raise if a process has failed.

        Raises
        ------
        EngineError
            Names the process, with the traceback from inside of it.
        """
        failed = np.flatnonzero(self._texts[:, 0])
        if failed.size:
            process = int(failed[0])
            text = self._texts[process].tobytes().rstrip(b"\0").decode("utf-8", "replace")
            raise EngineError(f"Lava's process {self._names[process]!r} failed: {text}")


def is_python(model: Any) -> bool:
    """Whether a model runs in Python, where it can be watched, and not on a chip."""
    from lava.magma.core.model.py.model import AbstractPyProcessModel

    return issubclass(model, AbstractPyProcessModel)


def attributes(*names: str) -> Callable[[Any], Mapping[str, Any]]:
    """Reads the attributes ``names`` of a model."""
    return lambda model: {name: getattr(model, name) for name in names}


def _nothing(model: Any) -> None:
    """Leaves a model as it is."""


@dataclass(frozen=True)
class Watched:
    """What is noted of a model, and what is done to it.

    Attributes
    ----------
    rows : dict of str to array of shape (steps, size)
        Where values are noted after each step.
    read : function of the model
        Gives the values by the names in ``rows``.
    spikes : array of shape (steps, size) or None
        Where it is noted whether something was sent at ``s_out``.
    prepare : function of the model
        Called once it is made.
    after_learning : function of the model
        Called after each learning phase, before values are noted.
    """

    rows: Mapping[str, Integers] = field(default_factory=dict)
    read: Callable[[Any], Mapping[str, Any]] = attributes()
    spikes: Integers | None = None
    prepare: Callable[[Any], None] = _nothing
    after_learning: Callable[[Any], None] = _nothing


def watch(builder: Any, process: int, failures: Failures, watched: Watched) -> None:
    """Let ``builder`` make a model that notes failures, states and spikes.

    Parameters
    ----------
    builder
        Lava's builder of the process; it acts in the process that Lava starts.
    process : int
        Its number in ``failures``.
    """
    build = builder.build

    def build_watched() -> Any:
        model = _guarded(build, process, failures)()
        watched.prepare(model)
        model.run_spk = _guarded(_noting(model, watched), process, failures)
        model.run_lrn = _noting_learning(model, watched)
        for phase in _LATER_PHASES:
            setattr(model, phase, _guarded(getattr(model, phase), process, failures))
        return model

    builder.build = build_watched


def _guarded(call: Callable[[], Any], process: int, failures: Failures) -> Callable[[], Any]:
    def guarded() -> Any:
        try:
            return call()
        except BaseException as error:
            failures.note(process, error)
            raise

    return guarded


def _noting(model: Any, watched: Watched) -> Callable[[], None]:
    run_spk, spikes = model.run_spk, watched.spikes
    if spikes is not None:
        send = model.s_out.send

        def send_noted(data: Any) -> None:
            spikes[model.time_step - 1] = np.asarray(data) != 0
            send(data)

        model.s_out.send = send_noted

    def run_noted() -> None:
        run_spk()
        _note(model, watched)

    return run_noted


def _noting_learning(model: Any, watched: Watched) -> Callable[[], None]:
    """What learning changes is noted in place of what was there before it."""
    run_lrn = model.run_lrn

    def run_noted() -> None:
        run_lrn()
        watched.after_learning(model)
        _note(model, watched)

    return run_noted


def _note(model: Any, watched: Watched) -> None:
    if watched.rows:
        values = watched.read(model)
        for name, rows in watched.rows.items():
            rows[model.time_step - 1] = values[name]
