"""The workbench: a setup, the changes that a person makes to it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.candidates import candidate
from brian2lava.fit.search.trial import settings_state
from brian2lava.fit.session import Session
from brian2lava.fit.target import Target
from brian2lava.studio.guess import first_values
from brian2lava.studio.keeping import KEY, document_of, setup_from
from brian2lava.studio.setup import Setup, Tuning, numbers_of


def _inward(value: float) -> int:
    """A step that no register's limit forbids: toward 0, or 1 from there."""
    return -1 if value > 0 else 1


class Workbench:
    """Holds a :class:`Setup` and replaces it, change by change; each is an edit of a session.

    Parameters
    ----------
    target : Target
    candidate_name : str
    values : dict of str to float, optional
        Of the candidate's parameters; else a first guess is made.
    origin : dict, optional
        See :class:`Setup`.
    overrides : dict, optional
        See :class:`Tuning`.
    session : Session, optional
        Else one that is kept nowhere.
    """

    def __init__(
        self,
        target: Target,
        candidate_name: str = "ATRLIF",
        values: Mapping[str, float] | None = None,
        origin: Mapping[str, Any] | None = None,
        overrides: Mapping[str, float] | None = None,
        session: Session | None = None,
    ) -> None:
        candidate(candidate_name)
        start = dict(values) if values else first_values(target, candidate_name)
        tuning = Tuning(start, dict(overrides or {}))
        setup = Setup(
            target, candidate_name, {candidate_name: tuning}, target.dt, origin=origin or {}
        )
        self.session = session or Session()
        self._starts: dict[str, dict[str, float]] = {candidate_name: start}
        self._put_target(setup, first=True)

    @classmethod
    def resumed(cls, session: Session) -> Workbench:
        """The bench of a session as it was left; a session that had none gets one."""
        if KEY not in session.document:
            return cls(session.target, session=session)
        bench = cls.__new__(cls)
        bench.session = session
        bench._read()
        return bench

    # --- the session -----------------------------------------------------------------------------
    def change(self, setup: Setup, what: str) -> None:
        """Replace the setup; a run of changes of the same thing is one step back."""
        setup.settings()  # what the chip can't hold is refused before anything changes
        if setup.target.sweeps is not self.setup.target.sweeps:
            self._put_target(setup)
            return
        if setup.target is not self.setup.target:
            self.session.set_spans(setup.target.train, setup.target.held_out)
            what = "spans"
        self._put(setup, what)

    def _put_target(self, setup: Setup, first: bool = False) -> None:
        self.session.choose(setup.target)
        self._put(setup, f"target {setup.target.name}", first)

    def _put(self, setup: Setup, what: str, first: bool = False) -> None:
        name = setup.candidate_name
        registers = {**self.session.document["settings"], name: settings_state(setup.settings())}
        document = document_of(setup, self._starts, first)
        self.session.edit(what, merge=True, settings=registers, **{KEY: document})
        self.setup = setup

    def _read(self) -> None:
        document = self.session.document[KEY]
        self.setup = setup_from(document, self.session.target)
        self._starts = {name: dict(start) for name, start in document["starts"].items()}

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return bool(self.session.undoable) and not self.session.document[KEY].get("first")

    @property
    def can_redo(self) -> bool:
        """Whether there is a step forward."""
        return bool(self.session.redoable)

    def undo(self) -> None:
        """One step back."""
        if self.can_undo:
            self.session.undo()
            if KEY not in self.session.document:
                self.session.redo()
            self._read()

    def redo(self) -> None:
        """One step forward."""
        if self.can_redo:
            self.session.redo()
            self._read()

    # --- parameters and registers ----------------------------------------------------------------
    def set_value(self, name: str, value: float) -> None:
        """A physical parameter."""
        self.change(self.setup.with_value(name, value), f"value {name}")

    def set_register(self, name: str, value: float) -> None:
        """A register."""
        if name not in self.registers():
            raise FitError(
                f"{self.setup.candidate_name} has no register {name!r}; it has"
                f" {', '.join(self.registers())}."
            )
        self.change(self.setup.with_register(name, value), f"register {name}")

    def step_register(self, name: str, by: int) -> None:
        """A register, some bits further."""
        self.set_register(name, self.registers()[name] + by)

    def step_parameter(self, name: str, by: int) -> None:
        """A parameter's register some bits further, upward in physical terms."""
        register = self.setup.candidate.parameter(name).register
        now = self.registers()[register]
        towards = 1
        if (
            self.setup.with_register(register, now + _inward(now)).meaning()[name]
            < (self.setup.meaning()[name])
        ):
            towards = -1
        self.set_register(register, now + by * towards * _inward(now))

    def registers(self) -> dict[str, float]:
        """All registers and the synapses, by name."""
        return numbers_of(self.setup.candidate, self.setup.settings())

    def lock(self, name: str, locked: bool) -> None:
        """Whether nothing may move a parameter."""
        self.setup.candidate.parameter(name)
        names = self.setup.tuning.locked - {name}
        self.change(self.setup.tuned(locked=names | {name} if locked else names), f"lock {name}")

    def reset(self, name: str | None = None) -> None:
        """A parameter, or all that are not locked, as they were at the start."""
        start = self._starts[self.setup.candidate_name]
        changed = self.setup
        for each in start if name is None else [name]:
            if each not in changed.tuning.locked:
                changed = changed.with_value(each, start[each])
        if name is None:
            kept = {} if not changed.tuning.locked else changed.tuning.overrides
            changed = changed.tuned(overrides=kept)
        self.change(changed, f"reset {name or 'all'}")

    # --- candidates, targets, options ------------------------------------------------------------
    def choose(self, name: str) -> None:
        """Another candidate, as one left it, or with a first guess."""
        candidate(name)
        tunings = dict(self.setup.tunings)
        if name not in tunings:
            tunings[name] = Tuning(first_values(self.setup.target, name))
            self._starts[name] = dict(tunings[name].values)
        self.change(replace(self.setup, tunings=tunings, candidate_name=name), f"candidate {name}")

    def adopt(self, setup: Setup) -> None:
        """What a fit found; a reset leads back to it."""
        self._starts[setup.candidate_name] = dict(setup.tuning.values)
        self.change(setup, f"fitted {setup.candidate_name}")

    def set_target(self, target: Target, origin: Mapping[str, Any] | None = None) -> None:
        """Another target; candidates begin anew, for gains depend on the stimulus."""
        name = self.setup.candidate_name
        start = first_values(target, name)
        setup = replace(
            self.setup, target=target, tunings={name: Tuning(start)}, dt=target.dt, sweep=0,
            origin=origin or {},
        )  # fmt: skip
        self._starts = {name: start}
        self.change(setup, "target")

    def set_spans(self, train: Sequence[Any], held_out: Sequence[Any]) -> None:
        """What is fitted and what judges."""
        target = replace(
            self.setup.target,
            train=tuple((a, b) for a, b in train),
            held_out=tuple((a, b) for a, b in held_out),
        )
        self.change(replace(self.setup, target=target), "spans")

    def set_option(self, name: str, value: Any) -> None:
        """``dt``, ``threshold``, ``drive``, ``sweep`` or ``window``."""
        kinds: dict[str, Any] = {
            "dt": float, "threshold": int, "drive": str, "sweep": int, "window": float,
        }  # fmt: skip
        if name not in kinds:
            raise FitError(f"there is no option {name!r}; there are {', '.join(kinds)}.")
        self.change(replace(self.setup, **{name: kinds[name](value)}), f"option {name}")
