"""Steps of Lava processes that stop in the middle for Brian2's part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from lava.magma.compiler.executable import Executable

from brian2lava.errors import EngineError, NotSupported
from brian2lava.interop.compiled.members import Member
from brian2lava.interop.compiled.plan import Plan
from brian2lava.interop.compiled.runtime import CompiledRuntime
from brian2lava.interop.compiled.steps import Steps
from brian2lava.interop.plug.brian_group import BrianGroup


class PluggedSteps(Steps):
    """Steps of a graph some of whose members are Brian2 groups, which have no turn of their own."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._python = [
            turn for turn in self._python if not isinstance(turn.member.process, BrianGroup)
        ]
        self._order = [*self._compiled, *self._python]

    def until(self, ports: Sequence[Any]) -> None:
        """Run what can run before Brian2's groups have sent, until ``ports`` have their messages.

        Raises
        ------
        EngineError
            They wait for what groups send in this step.
        """
        self.spike(lambda: all(end.probe() for port in ports for end in port.csp_ports))

    def _stuck(self, waiting: Sequence[Any]) -> EngineError:
        if self.groups_have_sent:
            return super()._stuck(waiting)
        return EngineError(
            f"step {self.done}: a port with latency=0 needs its message before the groups' state"
            f" updates, and {', '.join(sorted(self._names(waiting)))} wait for spikes of the same"
            " step. Give the port latency=1, or put a process in between that sends before it"
            " receives: a Dense, Sparse or Conv."
        )

    #: Whether the groups' messages of this step are on their way.
    groups_have_sent = False


class PluggedRuntime(CompiledRuntime):
    """A graph of Lava processes around Brian2 groups; Brian2's loop moves it on."""

    def __init__(self, executable: Executable, compile_models: bool) -> None:
        super().__init__(executable, compile_models)
        self.steps = PluggedSteps(self.plan)
        self._steps = self.steps
        self._is_started = True

    def model_of(self, process: BrianGroup) -> Any:
        """The model of a group's process, which has its ports."""
        (member,) = (each for each in self.plan.members if each.process is process)
        return member.model

    @property
    def stopped(self) -> bool:
        """Whether somebody has called ``stop()`` of a process."""
        return self._is_stopped

    @property
    def others(self) -> list[Member]:
        """The members that are not."""
        return [each for each in self.plan.members if not isinstance(each.process, BrianGroup)]

    def start(self, condition: Any) -> NoReturn:
        """Nobody but Brian2's loop runs these processes.

        Raises
        ------
        NotSupported
            Always.
        """
        names = (member.process.name for member in self.plan.members
                 if isinstance(member.process, BrianGroup))  # fmt: skip
        raise NotSupported(
            f"these processes are connected to Brian2's {', '.join(map(repr, names))}:"
            " Brian2's run(duration) runs them, one step in each of its own."
        )

    def begin(self) -> None:
        """Begin a step."""
        self._bring_up_to_date()
        self._room()
        self.steps.groups_have_sent = False
        self.steps.begin()

    def finish(self, sent: Callable[[], None]) -> None:
        """Finish the spiking phase: ``sent`` sends what groups have to say."""
        sent()
        self.steps.groups_have_sent = True
        self.steps.spike()

    def end(self) -> str:
        """Run the phases that follow; returns "pause" or "stop" if a process asks for that."""
        self.steps.end()
        asked, self.steps.asked = self.steps.asked, ""
        return asked
