"""The programs on cards that one worker looks after, by the address of their context."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from brian2lava.engine.cuda.runner import Runner


class CardWorker:
    """Executes what a :class:`~brian2lava.engine.cuda.instance.CardInstance` asks for."""

    def __init__(self) -> None:
        self._runners: dict[int, Runner] = {}

    def execute(self, verb: str, library: str, context: int, *arguments: Any) -> Any:
        """``verb`` is "load", "unload", or a method of :class:`Runner`."""
        if verb == "load":
            self._runners[context] = self._load(library, context, *arguments)
            return 0
        if verb == "unload":
            runner = self._runners.pop(context, None)
            return runner.close() if runner is not None else 0
        return getattr(self._runners[context], verb)(*arguments)

    def _load(self, library: str, context: int, plan: bytes) -> Runner:
        source, emulated, deterministic = pickle.loads(plan)
        if emulated:
            from brian2lava.engine.cuda.emulated import EmulatedCard

            return Runner(EmulatedCard(library), source, context)
        from brian2lava.engine.cuda.nvidia import NvidiaCard

        text = Path(library).read_text(encoding="utf-8")
        return Runner(NvidiaCard(text, deterministic), source, context)
