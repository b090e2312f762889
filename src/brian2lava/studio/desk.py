"""One studio: the bench, its last run, and what has to be kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from brian2lava.errors import BrianLavaError
from brian2lava.studio import keeping
from brian2lava.studio.fit_run import FitRun
from brian2lava.studio.operations import perform
from brian2lava.studio.runs import Pair, run_pair
from brian2lava.studio.setup import Setup
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench

_OURS = (
    "an error in brian2lava itself, not in what you did; nothing is lost, and the terminal has the"
    " details for a report."
)


class Desk:
    """Answers the page's messages, one after the other.

    Parameters
    ----------
    bench : Workbench
    session : path
        Where everything is kept.
    """

    bench: Workbench

    def __init__(self, bench: Workbench, session: Path) -> None:
        self.bench = bench
        self.session = session
        self.fit = FitRun()
        self.unsaved = True
        self._told = 0
        self._saved_at = 0
        self._lock = RLock()
        self._pair: tuple[Setup, Pair] | None = None

    @classmethod
    def restored(cls, session: Path) -> Desk:
        """The desk as it was left; a fit that was running is paused."""
        setup, more, _ = keeping.load(session)
        bench = Workbench(setup.target, setup.candidate_name, setup.tuning.values, setup.origin)
        bench.restore(setup)
        desk = cls(bench, session)
        if more.get("fit"):
            desk.fit.restore(setup.target, more["fit"])
        return desk

    def save(self) -> None:
        """Keep everything, if something changed."""
        if self.unsaved or self.fit.changes != self._saved_at:
            with self._lock:
                setup, self.unsaved = self.bench.setup, False
            self._saved_at = self.fit.changes
            keeping.save(self.session, setup, {"fit": self.fit.state()}, {})

    def tick(self) -> bytes | None:
        """Called now and then: keeps what changed; returns news of a fit for the pages."""
        self.save()
        if self.fit.changes == self._told:
            return None
        self._told = self.fit.changes
        return pack({"news": "fit", "fit": self.fit.report()}, self.fit.curves())

    def close(self) -> None:
        """The last that is done: a fit pauses, and all is kept."""
        self.fit.pause()
        self.unsaved = True
        self.save()

    def pair(self) -> Pair:
        """The bench's neuron through the shown sweep; run again only where something changed."""
        if self._pair is None or self._pair[0] is not self.bench.setup:
            self._pair = (self.bench.setup, run_pair(self.bench.setup))
        return self._pair[1]

    def changed(self) -> None:
        """Something is to be kept."""
        self.unsaved = True

    def respond(self, message: bytes) -> bytes:
        """A request of the page -> the answer, an error among them."""
        began = time.perf_counter()
        number: Any = None
        try:
            header, arrays = unpack(message)
            number = header.get("id")
            given: Mapping[str, Any] = {**header.get("given", {}), "arrays": arrays}
            with self._lock:
                answer, made = perform(self, header.get("op", ""), given)
        except BrianLavaError as error:
            return pack({"id": number, "error": str(error)})
        except Exception as error:  # the page stays; the trace goes to whoever started it
            logging.getLogger("brian2lava.studio").exception("an error in brian2lava itself")
            return pack({"id": number, "error": f"{_OURS} {type(error).__name__}: {error}"})
        took = (time.perf_counter() - began) * 1e3
        return pack({**answer, "id": number, "ms": took}, made)
