"""The steps of a graph: all in one compiled loop, or in between with Lava's Python models.

The phases are Lava's (LoihiProtocol): spiking; before learning; learning; after learning, where
RefPorts read and write. Each is entered if some model asks for it, and a model takes part in it if
its guard says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lava.magma.core.model.py.model import PyLoihiProcessModel

from brian2lava.errors import BrianLavaError, EngineError
from brian2lava.interop.compiled.kit import Unit
from brian2lava.interop.compiled.library import Table
from brian2lava.interop.compiled.members import Member
from brian2lava.interop.compiled.plan import Plan, deadlock
from brian2lava.interop.compiled.turns import Turn

_Phase = PyLoihiProcessModel.Phase


class CompiledTurn:
    """A compiled unit among Python models: takes their messages, runs, and sends them its own."""

    def __init__(self, unit: Unit, plan: Plan) -> None:
        self.unit = unit
        self._table = Table(unit.operations)
        python = {id(member) for member in plan.python}
        self._needs = [link for link in unit.reads if id(link.source) not in python]
        self._takes = [link for link in unit.reads if id(link.source) in python]
        self._arrays = [plan.signals.of(link.source, link.source_port) for link in self._takes]
        self._posts = [
            (link.channel, plan.signals.of(unit.member, port).reshape(link.channel.shape))
            for port in unit.writes
            for link in unit.member.outputs.get(port, [])
            if id(link.target) in python
        ]

    def ready(self, sent: set[tuple[int, str]]) -> bool:
        """Whether all that it takes has been sent in this step."""
        return all((id(link.source), link.source_port) in sent for link in self._needs) and all(
            link.channel.items for link in self._takes
        )

    def run(self, step: int, sent: set[tuple[int, str]]) -> bool:
        """Run it; it is done then."""
        for link, array in zip(self._takes, self._arrays):
            array[:] = link.channel.take().reshape(-1)
        self._table.advance(step)
        for channel, array in self._posts:
            channel.post(array)
        sent.update((id(self.unit.member), port) for port in self.unit.writes)
        return True


class PythonTurn:
    """A Python model's spiking phase: called when its messages are there, or else in a thread."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._takes = [link for links in member.inputs.values() for link in links]
        self._thread: Turn | None = None

    def ready(self, sent: set[tuple[int, str]]) -> bool:
        """Whether it can go on."""
        if self._thread is not None and self._thread.begun:
            return bool(self._thread.waits_for.items)
        return all(link.channel.items for link in self._takes)

    def run(self, step: int, sent: set[tuple[int, str]]) -> bool:
        """Go on; whether it is done."""
        if self._thread is not None and self._thread.begun:
            return self._thread.advance()
        self.member.model.run_spk()
        return True

    def begin(self) -> bool:
        """Start it though messages are missing; it may send before it receives."""
        if self._thread is None:
            self._thread = Turn(self.member.name, lambda: self.member.model.run_spk())
        return self._thread.advance()

    @property
    def is_begun(self) -> bool:
        return self._thread is not None and self._thread.begun

    def close(self) -> None:
        """End its thread."""
        if self._thread is not None:
            self._thread.close()


class Steps:
    """Runs a plan.

    Attributes
    ----------
    done : int
        Steps since the start; Lava's ``time_step``.
    asked : str
        "pause" or "stop" if a model has asked for it.
    """

    def __init__(self, plan: Plan) -> None:
        self.done = 0
        self.asked = ""
        self._plan = plan
        self._models = [member.model for member in plan.python]
        self._compiled = [CompiledTurn(unit, plan) for unit in plan.units]
        self._python = [PythonTurn(member) for member in plan.python]
        self._order: list[Any] = [*self._compiled, *self._python]
        self._left: list[Any] = []
        self._went: list[Any] = []
        self._sent: set[tuple[int, str]] = set()
        learn = [operation for kit in plan.kits for operation in kit.learn]
        after = [operation for kit in plan.kits for operation in kit.after]
        spiking = [operation for unit in plan.units for operation in unit.operations]
        self._all = Table([*spiking, *learn, *after])
        self._learn, self._after = Table(learn), Table(after)
        self._hosted = [(kit.member.name, each) for kit in plan.kits for each in kit.hosted]
        self._faults = [(kit.member.name, *each) for kit in plan.kits for each in kit.faults]

    def close(self) -> None:
        """End the threads of models that wait."""
        for turn in self._python:
            turn.close()

    def advance(self, steps: int) -> None:
        """Run ``steps`` steps; fewer if a model asks for a pause or a stop.

        Raises
        ------
        EngineError
            A model raised an exception, or waits for what nobody sends.
        """
        if not self._plan.python:
            self._run_on(self.done + steps)
        else:
            for _ in range(steps):
                self._step()
                if self.asked:
                    break
        for name, word, why in self._faults:
            if word[0]:
                raise EngineError(f"{name}, step {word[0]}: {why}")

    def _run_on(self, last: int) -> None:
        """Up to step ``last``, all of it compiled but for what is hosted."""
        while self.done < last:
            stop = min([last, *(each.next(self.done) for _, each in self._hosted)])
            self._all.advance(self.done + 1, stop - self.done)
            self.done = stop
            self._host()

    def _host(self) -> None:
        for name, each in self._hosted:
            if (self.done - 1) % each.interval == each.offset:
                self._told(name, partial(each.call, self.done))

    def _step(self) -> None:
        self.begin()
        self.spike()
        self.end()

    def begin(self) -> None:
        """Begin a step: nobody has run in it yet."""
        self.done += 1
        for model in self._models:
            model.time_step = self.done
            model.phase = _Phase.SPK
        self._left, self._went, self._sent = list(self._order), [], set()

    def end(self) -> None:
        """The phases of a step that follow the spiking one."""
        learns = [self._ask(model.lrn_guard) for model in self._models]
        early = any(learn and self._ask(m.pre_guard) for learn, m in zip(learns, self._models))
        later = any(not learn and self._ask(m.post_guard) for learn, m in zip(learns, self._models))
        if early:
            self._phase(_Phase.PRE_MGMT, "pre_guard", "run_pre_mgmt")
        if early or any(learns):
            self._phase(_Phase.LRN, "lrn_guard", "run_lrn")
            later = later or any(self._ask(model.post_guard) for model in self._models)
        self._learn.advance(self.done)
        self._after.advance(self.done)
        self._host()
        if later:
            self._phase(_Phase.POST_MGMT, "post_guard", "run_post_mgmt")
        self._requests()

    def _ask(self, guard: Callable[[], Any]) -> bool:
        return bool(guard())

    def spike(self, enough: Callable[[], bool] = lambda: False) -> None:
        """The spiking phase, to its end or until it is ``enough``: whoever can run, runs, in the
        order that the last step found."""
        while self._left and not enough():
            waiting: list[Any] = []
            moved = False
            for turn in self._left:
                if self._is_blocked(turn, waiting) or not turn.ready(self._sent):
                    waiting.append(turn)
                    continue
                moved = True
                if self._guarded(turn, partial(turn.run, self.done, self._sent)):
                    self._went.append(turn)
                else:
                    waiting.append(turn)
            if not moved and not self._begin_one(waiting, self._went):
                raise self._stuck(waiting)
            self._left = [turn for turn in waiting if not any(turn is each for each in self._went)]
        if not self._left:
            self._order = self._went

    def _stuck(self, waiting: Sequence[Any]) -> EngineError:
        """Nobody can go on."""
        return EngineError(f"step {self.done}: {deadlock(self._names(waiting))}")

    @staticmethod
    def _is_blocked(turn: Any, waiting: Sequence[Any]) -> bool:
        """Whether an earlier unit of the same compiled process has not run yet."""
        return isinstance(turn, CompiledTurn) and any(
            isinstance(other, CompiledTurn) and other.unit.member is turn.unit.member
            for other in waiting
        )

    def _begin_one(self, waiting: Sequence[Any], order: list[Any]) -> bool:
        """Start a Python model whose messages are not there; False if there is none to start."""
        for turn in waiting:
            if isinstance(turn, PythonTurn) and not turn.is_begun:
                if self._guarded(turn, turn.begin):
                    order.append(turn)
                return True
        return False

    def _names(self, turns: Sequence[Any]) -> set[str]:
        return {
            turn.member.name if isinstance(turn, PythonTurn) else turn.unit.member.name
            for turn in turns
        }

    def _guarded(self, turn: Any, work: Callable[[], bool]) -> bool:
        (name,) = self._names([turn])
        return bool(self._told(name, work))

    def _phase(self, phase: Any, guard: str, work: str) -> None:
        """One phase of the Python models. In Lava a process answers others when its own part of the
        phase is done, so those with RefPorts come last."""
        for member in sorted(self._plan.python, key=lambda member: bool(member.references)):
            model = member.model
            model.phase = phase
            if getattr(model, guard)():
                self._told(member.name, getattr(model, work))

    def _told(self, name: str, work: Callable[[], Any]) -> Any:
        """Call ``work``; what it raises names the process."""
        try:
            return work()
        except BrianLavaError as problem:
            raise EngineError(f"{name}, step {self.done}: {problem}") from problem
        except Exception as problem:
            raise EngineError(
                f"{name}, step {self.done}: {type(problem).__name__}: {problem}"
            ) from problem

    def _requests(self) -> None:
        for model in self._models:
            for word in ("pause", "stop"):
                if getattr(model, f"_req_{word}"):
                    setattr(model, f"_req_{word}", False)
                    self.asked = self.asked or word
