"""The spike queue of a pathway, between runs and for Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2.devices.device import RuntimeDevice

from brian2lava.engine.cpu.instance import Pending

#: Brian2's format: an offset, and the synapses that are due at each step from there.
QueueState = tuple[int, list[list[int]]]


class PathwayQueue:
    """What Brian2 sees as a pathway's queue.

    While an engine holds the spikes in flight, ``fetch`` asks it for them; otherwise they are kept
    here. A pathway that runs in Python uses one of Brian2's own queues.
    """

    def __init__(self, source_start: int, source_end: int) -> None:
        self._range = (source_start, source_end)
        self._pending: Pending | None = None
        self._fetch: Callable[[], Pending] | None = None
        self._python: Any = None
        self._native: Any = None
        #: The step (s) that the spikes in flight are counted in, where that is known.
        self._dt: Any = None
        self._state_tuple = (source_start, source_end, np.int32)

    def lend(self, fetch: Callable[[], Pending]) -> None:
        """An engine has taken the spikes; ``fetch`` brings them back."""
        self._fetch = fetch
        self._pending = None

    def take(self) -> Pending | None:
        """The spikes in flight, wherever they are; they are forgotten here."""
        pending = self.current()
        self._pending = None
        self._fetch = None
        self._python = None
        return pending

    def take_at(self, dt: float) -> Pending | None:
        """:meth:`take`, counted in steps of ``dt`` (s) from now on."""
        before, self._dt = self._dt, dt
        pending = self.take()
        if pending is None or before in (None, dt):
            return pending
        return _rescaled(pending, before / dt)

    def goes_on_at(self, dt: float) -> None:
        """The engine that holds the spikes counts them in steps of ``dt`` (s) from now on."""
        self._dt = dt

    def current(self) -> Pending | None:
        """The spikes in flight; stays as it is."""
        if self._fetch is not None:
            return self._fetch()
        if self._python is not None:
            return _from_state(self._python._full_state())
        return self._pending

    @property
    def restored(self) -> bool:
        """Whether the spikes here are newer than those that an engine may hold."""
        return self._fetch is None

    def keep(self) -> None:
        """Bring the spikes back from the engine, which is about to go."""
        self._pending = self.current()
        self._fetch = None

    def lose(self) -> None:
        """The engine is gone, with what it held."""
        if self._fetch is not None:
            self._fetch = None
            self._pending = None

    # ------------------------------------------------------------ Brian2's interface
    def _full_state(self) -> QueueState:
        return _to_state(self.current())

    def _restore_from_full_state(self, state: Any) -> None:
        self._fetch = None
        self._pending = None if state is None else _from_state(state)
        if self._python is not None:
            # code that runs in Python asked for its queue once, when it was made
            self._python._restore_from_full_state(_to_state(self._pending))
            self._pending = None

    def prepare(self, delays: np.ndarray, dt: float, sources: np.ndarray) -> None:
        """Start of a run; engines prepare their own tables."""
        if self._python is None:
            return
        if self._dt not in (None, dt):
            self._change_dt(delays, dt, sources)
        self._python.prepare(delays, dt, sources)
        self._dt = dt

    def _change_dt(self, delays: np.ndarray, dt: float, sources: np.ndarray) -> None:
        """Spikes in flight keep their time of arrival, rounded as Brian2 does.

        Brian2's queue does this, too, but of the old steps that become one new step it keeps the
        last only. So it changes to the new step while it is empty.
        """
        flying = _rescaled(_from_state(self._python._full_state()), self._dt / dt)
        self._python._restore_from_full_state(_to_state(None))
        self._python.prepare(delays, dt, sources)
        self._python._restore_from_full_state(_to_state(flying))

    def get_capsule(self) -> Any:
        """For Brian2's Cython code (from 2.10 on): the C++ object of a queue of Brian2's."""
        return self._brian2_queue().get_capsule()

    def _brian2_queue(self) -> Any:
        """One of Brian2's own queues: always the same, since code may hold its capsule."""
        if self._native is None:
            self._native = RuntimeDevice.spike_queue(None, *self._range)
        return self._native

    def run_in_python(self) -> None:
        """The pathway's steps are Python calls: use one of Brian2's queues from now on."""
        if self._python is None:
            pending = self.take()
            self._python = self._brian2_queue()
            self._python._restore_from_full_state(_to_state(pending))

    def push(self, events: np.ndarray) -> None:
        """Sources that spike now."""
        self._python.push(events)

    def peek(self) -> np.ndarray:
        """Synapses that are reached now."""
        synapses: np.ndarray = self._python.peek()
        return synapses

    def advance(self) -> None:
        """To the next step."""
        self._python.advance()


def _rescaled(pending: Pending, ratio: float) -> Pending:
    """The same times in steps that are ``ratio`` times as many, by Brian2's rule."""
    return Pending((pending.steps * ratio + 0.5).astype(np.int64), pending.synapses)


def _to_state(pending: Pending | None) -> QueueState:
    if pending is None or len(pending.steps) == 0:
        return (0, [[]])
    slots: list[list[int]] = [[] for _ in range(int(pending.steps[-1]) + 1)]
    borders = np.searchsorted(pending.steps, np.arange(len(slots) + 1))
    for step, (first, last) in enumerate(zip(borders[:-1], borders[1:], strict=True)):
        slots[step] = pending.synapses[first:last].tolist()
    return (0, slots)


def _from_state(state: Any) -> Pending:
    offset, slots = state
    ordered = [*slots[offset:], *slots[:offset]]
    lengths = np.array([len(slot) for slot in ordered], dtype=np.int64)
    steps = np.repeat(np.arange(len(ordered), dtype=np.int64), lengths)
    synapses = np.array([synapse for slot in ordered for synapse in slot], dtype=np.int32)
    return Pending(steps, synapses)
