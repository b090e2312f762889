"""A session: what is fitted, how, how far, and how one got there."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.candidates import candidate
from brian2lava.fit.search import FitOptions, FitResult, Fitting
from brian2lava.fit.search.trial import settings_from, settings_state
from brian2lava.fit.session.archive import (
    SESSION_MEMBERS,
    packed,
    packed_arrays,
    unpacked,
    unpacked_arrays,
)
from brian2lava.fit.session.fits import KeptFit, options_from, options_state
from brian2lava.fit.session.history import History
from brian2lava.fit.session.place import Place
from brian2lava.fit.session.synapses import KeptSynapse, synapse_from, synapse_state
from brian2lava.fit.session.targets import target_from, target_state
from brian2lava.fit.synapse import SynapseFitResult, SynapseOptions
from brian2lava.fit.target import Target
from brian2lava.fit.target.target import Span

#: Of the file. A newer one is refused, and left as it is; version 1 kept no synapses.
SESSION_VERSION = 2
#: What the file says that it is.
_FORMAT = "brian2lava session"
#: What a session begins with; ``edit`` may add more.
_EMPTY: dict[str, Any] = {
    "target": "", "spans": None, "candidates": None, "options": {}, "settings": {},
}  # fmt: skip


class Session:
    """Targets, edits and fits, kept in one file.

    Parameters
    ----------
    target : Target, optional
    path : path, optional
        Where it is saved; needed by :meth:`autosave`, and by :meth:`save` without an argument.

    Attributes
    ----------
    targets : dict of str to Target
        All that were ever chosen: an edit that is undone may need them.
    fits : dict of str to KeptFit
    synapses : dict of str to KeptSynapse
        What fits of synapses found.
    """

    def __init__(self, target: Target | None = None, path: str | Path | None = None) -> None:
        self.targets: dict[str, Target] = {}
        self.fits: dict[str, KeptFit] = {}
        self.synapses: dict[str, KeptSynapse] = {}
        self._history = History(_EMPTY)
        self._place = None if path is None else Place(path)
        self._arrays: tuple[Mapping[str, Any], bytes] | None = None
        self._changed, self._saved_at = True, -float("inf")
        if target is not None:
            self.choose(target)

    # ------------------------------------------------------------ edits
    @property
    def document(self) -> Mapping[str, Any]:
        """All that can be edited, in JSON's terms; change it by :meth:`edit`."""
        return self._history.present

    def edit(self, what: str, merge: bool = False, **changes: Any) -> None:
        """Change the document, so that it can be undone.

        Parameters
        ----------
        what : str
            The edit in words.
        merge : bool
            It continues the last one of the same name, as while a slider moves.
        changes
            New values of the document's keys; new keys may come.

        Raises
        ------
        FitError
            A value is none that JSON has.
        """
        try:
            text = json.dumps({**self.document, **changes})
        except (TypeError, ValueError) as error:
            raise FitError(f"the edit {what!r} can't be kept: {error}.") from error
        self._history.add(what, json.loads(text), merge)
        self._changed = True

    def undo(self) -> str:
        """Take the last edit back; returns its name, "" where there is none."""
        self._changed = True
        return self._history.undo()

    def redo(self) -> str:
        """Do again what was undone; returns its name, "" where there is none."""
        self._changed = True
        return self._history.redo()

    @property
    def undoable(self) -> str:
        """What :meth:`undo` would take back."""
        return self._history.undoable

    @property
    def redoable(self) -> str:
        """What :meth:`redo` would do again."""
        return self._history.redoable

    # ------------------------------------------------------------ what is edited
    def choose(self, target: Target) -> None:
        """Make this the target; its own spans are the session's."""
        self.edit(f"target {target.name}", target=self._key(target), spans=None)

    def _key(self, target: Target) -> str:
        """The key of a target's sweeps, which are kept once."""
        for key, known in self.targets.items():
            if known.sweeps is target.sweeps:
                return key
        key, number = target.name, 1
        while key in self.targets:
            number += 1
            key = f"{target.name} ({number})"
        self.targets[key] = target
        return key

    @property
    def target(self) -> Target:
        """The target with the session's spans.

        Raises
        ------
        FitError
            None was chosen.
        """
        key, spans = self.document["target"], self.document["spans"]
        if key not in self.targets:
            raise FitError("the session has no target yet; choose(target) gives it one.")
        return self.targets[key] if spans is None else _with_spans(self.targets[key], spans)

    def set_spans(self, train: Sequence[Span], held_out: Sequence[Span]) -> None:
        """Which parts are trained on, and which judge (seconds)."""
        spans = {"train": [list(s) for s in train], "held_out": [list(s) for s in held_out]}
        _with_spans(self.targets[self.document["target"]], spans)  # raises where they overlap
        self.edit("spans", spans=spans)

    @property
    def options(self) -> FitOptions:
        """How a fit would be made now."""
        return options_from(self.document["options"])

    def set_options(self, **changed: Any) -> None:
        """Change fields of :class:`~brian2lava.fit.FitOptions`."""
        options = replace(self.options, **changed)
        self.edit(f"options {', '.join(sorted(changed))}", options=options_state(options))

    def set_candidates(self, names: Sequence[str] | None) -> None:
        """Choose candidates; None: all that the drive can serve."""
        chosen = None if names is None else [candidate(name).name for name in names]
        self.edit("candidates", candidates=chosen)

    def settings(self, name: str) -> Settings | None:
        """The registers that were set for a candidate, or None."""
        found = self.document["settings"].get(candidate(name).name)
        return None if found is None else settings_from(found)

    def set_settings(self, name: str, settings: Settings, what: str = "") -> None:
        """Set a candidate's registers."""
        known = {**self.document["settings"], candidate(name).name: settings_state(settings)}
        self.edit(what or f"registers of {name}", merge=True, settings=known)

    # ------------------------------------------------------------ fits
    def fitting(self) -> Fitting:
        """A fit of the present target with the present candidates and options."""
        return Fitting(self.target, self.document["candidates"], self.options)

    def keep(self, fitting: Fitting, target: Target | None = None, name: str = "fit") -> None:
        """Keep how far a fit is, in the place of the one of that name.

        ``target`` is what it was made with; the session's, where it is left out.
        """
        self.fits[name] = KeptFit.of(fitting, self.target if target is None else target)
        self._changed = True

    def resumed(self, name: str = "fit") -> Fitting:
        """A fit that was kept, ready to go on.

        Raises
        ------
        FitError
            There is none of that name, or its state is damaged.
        """
        if name not in self.fits:
            known = ", ".join(map(repr, self.fits)) or "none"
            raise FitError(f"the session keeps no fit {name!r}; it keeps {known}.")
        try:
            return self.fits[name].fitting()
        except BrianLavaError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FitError(
                f"the fit {name!r} can't go on: its state is damaged ({error!r})."
            ) from error

    def result(self, name: str = "fit") -> FitResult:
        """What a kept fit has found, evaluated anew."""
        return self.resumed(name).result()

    def keep_synapse(
        self,
        result: SynapseFitResult,
        options: SynapseOptions | None = None,
        name: str = "synapse",
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what :func:`~brian2lava.fit.synapse.fit_synapse` found, in the place of that name.

        ``options`` are the fit's; ``asked`` says in JSON's terms how the target was asked for.
        """
        self.synapses[name] = KeptSynapse(result, options or SynapseOptions(), dict(asked or {}))
        self._changed = True

    def synapse(self, name: str = "synapse") -> SynapseFitResult:
        """What a fit of a synapse found, as it was kept.

        Raises
        ------
        FitError
            There is none of that name.
        """
        if name not in self.synapses:
            known = ", ".join(map(repr, self.synapses)) or "none"
            raise FitError(f"the session keeps no synapse {name!r}; it keeps {known}.")
        return self.synapses[name].result

    # ------------------------------------------------------------ on disk
    @property
    def path(self) -> Path | None:
        """Where it is saved."""
        return None if self._place is None else self._place.path

    def save(self, path: str | Path | None = None) -> Path:
        """Write the file, as a whole or not at all; the one before is kept beside it (.before).

        Raises
        ------
        FitError
            No path is known, it can't be written, or it holds something else.
        """
        if path is not None and Path(path) != self.path:
            self._place = Place(path)
        if self._place is None:
            raise FitError("the session has no file yet; give save() a path.")
        self._place.write(self._bytes())
        self._changed, self._saved_at = False, time.monotonic()
        return self._place.path

    def autosave(self, least: float = 2.0) -> bool:
        """Save if something changed and the last time is ``least`` seconds ago; whether it did."""
        if not self._changed or time.monotonic() - self._saved_at < least:
            return False
        self.save()
        return True

    def _bytes(self) -> bytes:
        fits = {}
        for name, kept in self.fits.items():
            fits[name] = {
                "target": self._key(kept.target),
                "train": kept.target.train,
                "held_out": kept.target.held_out,
                "candidates": kept.candidates,
                "options": options_state(kept.options),
                "state": kept.state,
            }
        states: dict[str, Any] = {}
        arrays: dict[str, Any] = {}
        for number, (key, target) in enumerate(self.targets.items()):
            states[key], more = target_state(target, f"target{number}")
            arrays |= more
        synapses: dict[str, Any] = {}
        for number, (name, kept_synapse) in enumerate(self.synapses.items()):
            synapses[name], more = synapse_state(kept_synapse, f"synapse{number}")
            arrays |= more
        document = {
            "format": _FORMAT,
            "version": SESSION_VERSION,
            "position": self._history.position,
            "targets": states,
            "fits": fits,
            "synapses": synapses,
        }
        return packed(
            {
                "session.json": json.dumps(document).encode(),
                "arrays.npz": self._packed_arrays(arrays),
                "history.sqlite": self._history.to_bytes(),
            }
        )

    def _packed_arrays(self, arrays: Mapping[str, Any]) -> bytes:
        """Arrays never change, so the same ones are packed once."""
        before = {} if self._arrays is None else self._arrays[0]
        same = before.keys() == arrays.keys() and all(before[n] is arrays[n] for n in arrays)
        if self._arrays is None or not same:
            self._arrays = dict(arrays), packed_arrays(arrays)
        return self._arrays[1]

    @classmethod
    def load(cls, path: str | Path) -> Session:
        """A session as it was saved. Nothing in the file is executed or unpickled.

        Raises
        ------
        FitError
            The file is damaged, too large, none of a session, or of a newer version. It is left as
            it is, and the one before it is named.
        """
        session = cls(path=path)
        assert session._place is not None
        data = session._place.read()
        try:
            session._fill(data, f"session {path}")
        except BaseException as error:
            before = session._place.before
            if isinstance(error, FitError) and before.exists():
                raise FitError(
                    f"{error} The file is left as it is; the one saved before it is {before}."
                ) from error
            raise
        return session

    def _fill(self, data: bytes, what: str) -> None:
        members = unpacked(data, SESSION_MEMBERS, what)
        try:
            found = json.loads(members["session.json"])
            if found["format"] != _FORMAT:
                raise FitError(f"{what} is a file of another kind.")
            if found["version"] > SESSION_VERSION:
                raise FitError(
                    f"{what} was saved by a newer version of brian2lava (its version is"
                    f" {found['version']}, known is {SESSION_VERSION}). Update brian2lava."
                )
            arrays = unpacked_arrays(members["arrays.npz"], what)
            for number, (key, state) in enumerate(found["targets"].items()):
                self.targets[key] = target_from(state, arrays, f"target{number}")
            for name, state in found["fits"].items():
                self.fits[name] = self._fit_from(state)
            # sessions of version 1 have none
            for number, (name, state) in enumerate(found.get("synapses", {}).items()):
                self.synapses[name] = synapse_from(state, arrays, f"synapse{number}")
            self._history = History.from_bytes(
                members["history.sqlite"], int(found["position"]), what
            )
            self._check_documents()
        except BrianLavaError as error:
            if isinstance(error, FitError) and str(error).startswith(what):
                raise
            raise FitError(f"{what} can't be used: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise FitError(f"{what} is damaged ({error!r}).") from error
        self._changed = False

    def _fit_from(self, state: Mapping[str, Any]) -> KeptFit:
        return KeptFit(
            target=_with_spans(self.targets[state["target"]], state),
            candidates=tuple(candidate(name).name for name in state["candidates"]),
            options=options_from(state["options"]),
            state=dict(state["state"]),
        )

    def _check_documents(self) -> None:
        """What an edit, undone or not, refers to is there and can be used."""
        for edit in self._history.edits:
            document = {**_EMPTY, **edit.document}
            if document["target"] and document["target"] not in self.targets:
                raise KeyError(document["target"])
            options_from(document["options"])
            for settings in dict(document["settings"]).values():
                settings_from(settings)


def _with_spans(target: Target, spans: Mapping[str, Any]) -> Target:
    return replace(
        target,
        train=tuple((float(a), float(b)) for a, b in spans["train"]),
        held_out=tuple((float(a), float(b)) for a, b in spans["held_out"]),
    )
