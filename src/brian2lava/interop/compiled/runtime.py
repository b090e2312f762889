"""Stands where Lava's Runtime stands: starts, waits, pauses, stops, reads and writes Vars."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from lava.magma.compiler.executable import Executable
from lava.magma.core.run_conditions import AbstractRunCondition, RunContinuous, RunSteps

from brian2lava.errors import EngineError, OptionError
from brian2lava.interop.compiled.channels import Halted
from brian2lava.interop.compiled.kit import Kit, Unfit
from brian2lava.interop.compiled.members import Member, members_of
from brian2lava.interop.compiled.plan import Plan, plan
from brian2lava.interop.compiled.steps import Steps
from brian2lava.interop.compiled.values import read, written

#: How long a piece of the loop takes, at most about: pauses and Ctrl-C wait for its end (seconds).
_SLICE_SECONDS = 0.02


class CompiledRuntime:
    """A compiled Lava graph and its run.

    Parameters
    ----------
    executable
        What Lava's compiler made of the graph.
    compile_models : bool
        False leaves all processes to Lava's Python models, in this process: the definition that
        compiled ones are compared with.

    Attributes
    ----------
    plan : Plan
        Which processes are compiled; of the others, why not.
    """

    def __init__(self, executable: Executable, compile_models: bool = True) -> None:
        members = members_of(executable)
        self.plan: Plan = plan(members, compile_models)
        self._steps = Steps(self.plan)
        self._kits: dict[int, Kit] = {id(kit.member): kit for kit in self.plan.kits}
        self._stale = set(self._kits)
        self._vars: dict[int, tuple[Member, str, tuple[int, ...]]] = {}
        for member in members:
            for name, given in member.builder.vars.items():
                self._vars[given.var_id] = (member, name, tuple(given.shape))
            self._prepare(member)
        self._thread: threading.Thread | None = None
        self._problem: BaseException | None = None
        self._halt = False
        self._broken = ""
        self._is_started = False
        self._is_stopped = False

    def __str__(self) -> str:
        lines = [f"{len(self.plan.kits)} of {len(self.plan.members)} processes compiled"]
        lines += [f"  {name}: {reason}" for name, reason in self.plan.reasons.items()]
        return "\n".join(lines)

    @property
    def is_running(self) -> bool:
        """Whether steps are being run in the background."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, condition: AbstractRunCondition) -> None:
        """Run steps: RunSteps, in the background if it is not blocking, or RunContinuous.

        Raises
        ------
        EngineError
            A process raised an exception, or the graph was stopped.
        """
        if self._is_stopped:
            raise EngineError("the graph was stopped; make it anew to run it again.")
        if self.is_running:
            raise EngineError("the graph is running; wait() or pause() first.")
        if self._broken:
            raise EngineError(f"{self._broken}, in the middle of a step: it can't be run on.")
        if isinstance(condition, RunSteps):
            steps, blocking = int(condition.num_steps), bool(condition.blocking)
        elif isinstance(condition, RunContinuous):
            steps, blocking = sys.maxsize, False
        else:
            raise OptionError(f"a run condition {type(condition).__name__}; RunSteps or"
                              " RunContinuous are known.")  # fmt: skip
        self._is_started, self._halt, self._problem = True, False, None
        if blocking:
            self._run(steps)
            return
        self._thread = threading.Thread(target=self._run_aside, args=(steps,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the end of a run in the background; raises what it raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem

    def pause(self) -> None:
        """End a run in the background after the step that it is in."""
        self._halt = True
        self.wait()

    def stop(self) -> None:
        """End the run; Vars can't be read any more."""
        self._halt = True
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None
        if not self._is_stopped:
            self._close()
        self._is_started, self._is_stopped = False, True

    def get_var(self, var_id: int, idx: Any = None) -> Any:
        """The values of a Var as float64; None, with a warning in Lava's log, during a run."""
        found = self._reach(var_id)
        if found is None:
            return None
        member, name, shape = found
        member.store()
        values = read(getattr(member.model, name), shape, member.builder.vars[name].value)
        return values if idx is None else values[idx]

    def set_var(self, var_id: int, value: Any, idx: Any = None) -> None:
        """Write a Var; ``idx`` chooses from ``value``, as in Lava."""
        found = self._reach(var_id)
        if found is None:
            return
        member, name, _ = found
        member.store()
        new = value if idx is None else value[idx]
        setattr(member.model, name, written(getattr(member.model, name), new))
        member.model.on_var_update()
        self._stale.add(id(member))

    def _reach(self, var_id: int) -> tuple[Member, str, tuple[int, ...]] | None:
        if self.is_running:
            return None
        if not self._is_started:
            raise EngineError(
                "the graph is not running (Runtime has not started): a Var can be read and set"
                " between the first run() and stop()."
            )
        try:
            return self._vars[var_id]
        except KeyError:
            raise EngineError(f"the Var with id {var_id} belongs to no model.") from None

    def _prepare(self, member: Member) -> None:
        """How others read and write the Vars of a compiled process."""
        for pipe in member.pipes:
            pipe.ended = lambda: self._halt
        kit = self._kits.get(id(member))
        if kit is None:
            return

        def store() -> None:
            for bring in kit.store:
                bring()

        def write(name: str, value: Any) -> None:
            old = getattr(kit.model, name)
            setattr(kit.model, name, written(old, value) if hasattr(old, "shape") else value)
            self._refresh(kit)

        member.store, member.write = store, write

    def _refresh(self, kit: Kit) -> None:
        try:
            for bring in kit.refresh:
                bring()
        except Unfit as reason:
            raise EngineError(
                f"{kit.member.name}: what was set has no compiled form: {reason}. Set it before the"
                " first step, and Lava's own model will run this process."
            ) from reason

    def _bring_up_to_date(self) -> None:
        """Compiled operations see what was written since they last ran."""
        if not self._stale:
            return
        for kit in self.plan.kits:
            if id(kit.member) in self._stale:
                self._refresh(kit)
        self._stale.clear()

    def _run_aside(self, steps: int) -> None:
        try:
            self._run(steps)
        except BaseException as problem:
            self._problem = problem

    def _run(self, steps: int) -> None:
        """Steps in slices, until they are done or somebody halts."""
        self._bring_up_to_date()
        left, size = steps, 1
        while left and not self._halt:
            size = min(size, left, self._room())
            began = time.perf_counter()
            try:
                self._steps.advance(size)
            except Halted as halted:  # in the middle of a step
                self._broken = str(halted)
                return
            except Exception:
                self._broken = "a process raised an exception"
                raise
            taken = time.perf_counter() - began
            left -= size
            size = max(1, min(8 * size, int(size * _SLICE_SECONDS / max(taken, 1e-7))))
            if self._steps.asked:
                asked, self._steps.asked = self._steps.asked, ""
                if asked == "stop":
                    self._is_started, self._is_stopped = False, True
                    self._close()
                return
        for member in self.plan.members:
            for pipe in member.pipes:
                pipe.settle()

    def _close(self) -> None:
        self._steps.close()
        for member in self.plan.members:
            for pipe in member.pipes:
                pipe.close()

    def _room(self) -> int:
        """Steps until the first Monitor is full."""
        room = sys.maxsize
        for kit in self.plan.kits:
            if kit.room is not None:
                left = kit.room - self._steps.done
                if left < 1:
                    raise EngineError(
                        f"{kit.member.name} has room for {kit.room} steps, and this is step"
                        f" {self._steps.done + 1}: give probe() more num_steps."
                    )
                room = min(room, left)
        return room
