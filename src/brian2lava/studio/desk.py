"""One studio: the bench, its last run, and what has to be kept."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from brian2lava.errors import BrianLavaError
from brian2lava.fit.session import Session
from brian2lava.studio.batch_run import BatchRun
from brian2lava.studio.fit_run import FitRun
from brian2lava.studio.operations import perform
from brian2lava.studio.runs import Pair, run_pair
from brian2lava.studio.setup import Setup
from brian2lava.studio.synapse_page import SynapseRun
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench

#: The fit's name in the session.
_FIT = "studio"
#: Seconds without a change before it is written, and the longest that it is not.
_QUIET, _LATEST = 0.4, 5.0
_OURS = (
    "an error in brian2lava itself, not in what you did; nothing is lost, and the terminal has the"
    " details for a report."
)


class Desk:
    """Answers the page's messages, one after the other.

    Parameters
    ----------
    bench : Workbench
        Its session is saved now and then, and at the end.
    """

    bench: Workbench
    batch: BatchRun

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.fit = FitRun()
        self.synapse = SynapseRun()
        self.batch = BatchRun(bench.session.path, self.tell)
        self.unsaved = True
        self._changed_at = self._first_at = 0.0
        self._told = self._kept = 0
        self._trouble = ""
        self._news: deque[bytes] = deque()
        self._lock = RLock()
        self._pair: tuple[Setup, Pair] | None = None
        if _FIT in bench.session.fits:
            self.fit.restore(bench.session.resumed(_FIT), bench.session.fits[_FIT].target)
        self.synapse.restore(bench.session)

    @property
    def session(self) -> Path | None:
        """Where everything is kept."""
        return self.bench.session.path

    def save(self) -> None:
        """Keep everything, if something changed.

        Raises
        ------
        FitError
            It can't be written.
        """
        if self.fit.changes != self._kept:
            self._kept, self.unsaved = self.fit.changes, True
            kept = self.fit.kept()
            if kept is not None:
                with self._lock:
                    self.bench.session.fits[_FIT] = kept
        if self.unsaved and self.session is not None:
            with self._lock:
                self.unsaved = False
                self.bench.session.save()

    def tick(self) -> bytes | None:
        """Called now and then: keeps what changed; returns news for the pages.

        While a slider moves nothing is written, for ``_LATEST`` seconds at most.
        """
        now = time.monotonic()
        if not self.unsaved or now > self._changed_at + _QUIET or now > self._first_at + _LATEST:
            trouble = self._saved_or_why()
            if trouble and trouble != self._trouble:
                self._trouble = trouble
                return pack({"news": "trouble", "error": trouble})
            self._trouble = trouble
        if self._news:
            return self._news.popleft()
        if self.fit.changes == self._told:
            return None
        self._told = self.fit.changes
        return pack({"news": "fit", "fit": self.fit.report()}, self.fit.curves())

    def keep(self, change: Callable[[Session], None]) -> None:
        """Change the session from another thread than the one that answers."""
        with self._lock:
            change(self.bench.session)
            self.changed()

    def tell(self, news: Mapping[str, Any]) -> None:
        """Something for the pages; they have it at the next tick."""
        self._news.append(pack(news))

    def _saved_or_why(self) -> str:
        try:
            self.save()
        except BrianLavaError as error:
            self.unsaved = True
            return str(error)
        return ""

    def close(self) -> None:
        """The last that is done: fits pause, and all is kept."""
        self.batch.close()
        self.fit.pause()
        self.fit.changes += 1
        self.save()

    def pair(self) -> Pair:
        """The bench's neuron through the shown sweep; run again only where something changed."""
        if self._pair is None or self._pair[0] is not self.bench.setup:
            self._pair = (self.bench.setup, run_pair(self.bench.setup))
        return self._pair[1]

    def changed(self) -> None:
        """Something is to be kept."""
        self._changed_at = time.monotonic()
        if not self.unsaved:
            self._first_at = self._changed_at
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
