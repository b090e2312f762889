"""The programs that are loaded, by network; they stay between the runs."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network

from brian2lava.capture.network import Captured
from brian2lava.device.versions import reports_unused_objects
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import Source
from brian2lava.engine.host import Host
from brian2lava.program.step_program import Pathway


@dataclass
class Loaded:
    """A network's program in the engine."""

    source: Source
    instance: cpu.Instance
    host: Host
    queues: list[Any] = field(default_factory=list)
    finalizer: Any = None

    def serves(self, source: Source, captured: Captured, threads: int) -> bool:
        """Whether this program, with these queues, is what is loaded."""
        return (
            self.source == source
            and self.instance["threads"] == threads
            and [reference() for reference in self.queues] == list(captured.queues.values())
        )

    def leave(self) -> None:
        """Take the spikes in flight back and free the engine."""
        if self.finalizer is not None:
            self.finalizer.detach()
        if self.host.alive:
            for reference in self.queues:
                queue = reference()
                if queue is not None:
                    queue.keep()
            self.instance.unload()
        else:
            self.lost()

    def lost(self) -> None:
        """The engine's process is gone."""
        for reference in self.queues:
            queue = reference()
            if queue is not None:
                queue.lose()


class Runs:
    """The programs that are loaded, by network."""

    def __init__(self) -> None:
        self._loaded: weakref.WeakKeyDictionary[Network, Loaded] = weakref.WeakKeyDictionary()
        self._left: list[Loaded] = []
        self._objects: weakref.WeakKeyDictionary[Network, frozenset[str]] = (
            weakref.WeakKeyDictionary()
        )

    def forget(self) -> None:
        """Unload everything."""
        for loaded in [*self._loaded.values(), *self._left]:
            loaded.leave()
        self._loaded.clear()
        self._left.clear()
        self._objects.clear()

    def collect_garbage(self, net: Network, objects: Sequence[BrianObject]) -> None:
        """Brian2 warns of forgotten objects when they are collected; look where any may be new."""
        names = frozenset(obj.id for obj in objects)
        if reports_unused_objects() and self._objects.get(net) != names:
            gc.collect()
            self._objects[net] = names

    def load(
        self,
        net: Network,
        source: Source,
        captured: Captured,
        library: Any,
        storage: dict[str, Any],
        threads: int,
        host: Host,
        make_instance: Callable[..., cpu.Instance] = cpu.Instance,
    ) -> Loaded:
        """The network's program in ``host``: the one that is there if it is the same."""
        for left in self._left:
            left.leave()
        self._left.clear()
        old = self._loaded.pop(net, None)
        if old is not None and not (
            old.host is host and host.alive and old.serves(source, captured, threads)
        ):
            old.leave()
            old = None
        if old is None:
            instance = make_instance(
                source,
                library,
                storage,
                captured.constants,
                clocks=len(captured.program.clocks),
                operations=len(captured.program.operations),
                threads=threads,
                host=host,
            )
            old = Loaded(source, instance, host)
            old.queues = [weakref.ref(queue) for queue in captured.queues.values()]
            old.finalizer = weakref.finalize(net, self._left.append, old)
            old.finalizer.atexit = False
        else:
            old.instance.set_constants(captured.constants)
            old.instance.replace_storage(storage)
        self._loaded[net] = old
        for which, (operation, queue) in enumerate(captured.queues.items()):
            pathway = captured.program.operations[operation]
            assert isinstance(pathway, Pathway)
            dt = float(storage[pathway.dt][0])
            if queue.restored:
                pending = queue.take_at(dt)
                old.instance.set_pending(which, pending or _nothing_pending())
            queue.goes_on_at(dt)
            queue.lend(_fetcher(weakref.ref(old), which))
        return old

    def of(self, net: Network) -> Loaded | None:
        """The network's program, if it is loaded."""
        return self._loaded.get(net)

    def drop(self, net: Network) -> None:
        """Unload the network's program: the next one is another."""
        loaded = self._loaded.pop(net, None)
        if loaded is not None:
            loaded.leave()

    def lose(self, net: Network) -> None:
        """The engine's process died."""
        loaded = self._loaded.pop(net, None)
        if loaded is not None:
            loaded.lost()


def _nothing_pending() -> cpu.Pending:
    return cpu.Pending(np.empty(0, np.int64), np.empty(0, np.int32))


def _fetcher(reference: weakref.ref[Loaded], which: int) -> Any:
    def fetch() -> cpu.Pending:
        loaded = reference()
        if loaded is None or not loaded.host.alive:
            return _nothing_pending()
        return loaded.instance.pending(which)

    return fetch
