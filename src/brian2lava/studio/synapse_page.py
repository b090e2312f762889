"""What the page Synapse asks for: responses, short-term plasticity, STDP on the chip's synapses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.session import Session
from brian2lava.fit.synapse import (
    SynapseFitResult,
    SynapseOptions,
    alpha,
    double_exponential,
    exponential,
    fit_synapse,
    nmda,
    pair_stdp,
    triplet_stdp,
    tsodyks_markram,
)

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of synapse that can be asked for.

    Attributes
    ----------
    title : str
    make : function of the parameters -> target
    parameters : dict of str to (value, unit)
        Numbers in SI units; "s" is shown in ms.
    """

    title: str
    make: Callable[..., Any]
    parameters: Mapping[str, tuple[float, str]]


_SHAPE = {"delay": (1e-3, "s"), "dt": (1e-3, "s")}
KINDS: dict[str, Kind] = {
    "exponential": Kind("exponential current", exponential, {"tau": (5e-3, "s"), **_SHAPE}),
    "alpha": Kind("alpha function", alpha, {"tau": (5e-3, "s"), **_SHAPE}),
    "double_exponential": Kind(
        "double exponential", double_exponential,
        {"rise": (2e-3, "s"), "decay": (10e-3, "s"), **_SHAPE},
    ),
    "nmda": Kind(
        "NMDA receptors", nmda,
        {
            "rise": (2e-3, "s"), "decay": (0.1, "s"), "voltage": (-0.04, "V"),
            "magnesium": (1.0, "mM"), "ampa": (0.0, ""), **_SHAPE,
        },
    ),
    "tsodyks_markram": Kind(
        "short-term plasticity (Tsodyks, Markram)", tsodyks_markram,
        {"U": (0.5, ""), "tau_d": (0.2, "s"), "tau_f": (0.0, "s"), "dt": (1e-3, "s")},
    ),
    "pair_stdp": Kind(
        "pair STDP", pair_stdp,
        {
            "a_plus": (0.01, ""), "a_minus": (0.012, ""), "tau_plus": (20e-3, "s"),
            "tau_minus": (20e-3, "s"), "dt": (1e-3, "s"),
        },
    ),
    "triplet_stdp": Kind(
        "triplet STDP (Pfister, Gerstner)", triplet_stdp,
        {
            "a2_plus": (5e-10, ""), "a3_plus": (6.2e-3, ""), "a2_minus": (7e-3, ""),
            "a3_minus": (2.3e-4, ""), "tau_plus": (16.8e-3, "s"), "tau_minus": (33.7e-3, "s"),
            "tau_x": (0.101, "s"), "tau_y": (0.125, "s"), "dt": (1e-3, "s"),
        },
    ),
}  # fmt: skip


#: The name of what was found last in the session.
_KEPT = "studio"


class SynapseRun:
    """At most one fit of a synapse at a time, in the background; the last result is kept."""

    def __init__(self) -> None:
        self.result: SynapseFitResult | None = None
        self.running = False
        self.asked: dict[str, Any] = {"kind": "double_exponential", "parameters": {}}

    def start(self, desk: Desk, kind: str, parameters: Mapping[str, float]) -> None:
        """Begin; the result comes as news.

        Raises
        ------
        FitError
            One is running, the kind is unknown, or the chip has no such synapse.
        """
        if self.running:
            raise FitError("a synapse is being fitted; wait for it.")
        target = target_of(kind, parameters)
        self.asked = {"kind": kind, "parameters": dict(parameters)}
        self.running = True
        threading.Thread(target=self._run, args=(desk, target), daemon=True).start()

    def restore(self, session: Session) -> None:
        """What a session keeps, if it does."""
        if _KEPT not in session.synapses:
            return
        kept = session.synapses[_KEPT]
        self.result = kept.result
        try:
            target_of(kept.asked["kind"], kept.asked["parameters"])
        except (FitError, KeyError, TypeError, ValueError, AttributeError):
            return  # of a session that somebody has written by hand, or of Python
        self.asked = dict(kept.asked)

    def _run(self, desk: Desk, target: Any) -> None:
        error, options = "", SynapseOptions()
        try:
            self.result = fit_synapse(
                target, options=options,
                progress=lambda name, part: desk.tell(
                    {"news": "synapse", "candidate": name, "part": part}
                ),
            )  # fmt: skip
            result, asked = self.result, dict(self.asked)
            desk.keep(lambda session: session.keep_synapse(result, options, _KEPT, asked))
        except BrianLavaError as reason:
            error = str(reason)
        finally:
            self.running = False
            desk.tell({"news": "synapse", "done": True, "error": error})


def target_of(kind: str, parameters: Mapping[str, float]) -> Any:
    """The target of a kind with its parameters; those left out have their first value."""
    if kind not in KINDS:
        raise FitError(f"there is no synapse {kind!r}; there are {', '.join(KINDS)}.")
    known = KINDS[kind].parameters
    for name in parameters:
        if name not in known:
            raise FitError(f"{kind} has no {name!r}; it has {', '.join(known)}.")
    values = {name: float(parameters.get(name, first)) for name, (first, _) in known.items()}
    return KINDS[kind].make(**values)


def start(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Fit all candidates to a synapse."""
    desk.synapse.start(desk, str(given["kind"]), given.get("parameters") or {})
    return {"running": True}, {}


def status(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Kinds, what was asked last, and what was found for it."""
    run = desk.synapse
    header: dict[str, Any] = {
        "kinds": {
            name: {"title": kind.title, "parameters": kind.parameters}
            for name, kind in KINDS.items()
        },
        "asked": run.asked,
        "running": run.running,
        "of": "" if run.result is None else f"{run.result.target.name}: {run.result.target.source}",
        "rows": [],
    }
    arrays: dict[str, Any] = {}
    for k, found in enumerate(run.result.found if run.result is not None else ()):
        header["rows"].append({
            "name": found.candidate.name, "title": found.candidate.title,
            "parts": found.candidate.parts, "stock": found.candidate.stock,
            "errors": found.errors, "costs": found.costs, "notes": found.notes,
            "registers": found.registers, "physical": found.physical,
            "curves": [
                {"name": c.name, "x": c.x_name, "y": c.y_name} for c in found.curves
            ],
        })  # fmt: skip
        for c, curve in enumerate(found.curves):
            for part in ("x", "target", "chip"):
                arrays[f"{k}_{c}_{part}"] = getattr(curve, part).astype("f8")
    return header, arrays


def script(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The Brian2 script of what was found for a candidate."""
    result = desk.synapse.result
    for found in result.found if result is not None else ():
        if found.candidate.name == given["name"]:
            return {"code": found.brian2_code()}, {}
    raise FitError(f"nothing was found for {given['name']!r}; fit it first.")


def synapse_code(asked: Mapping[str, Any]) -> str:
    """The fit as Python."""
    kind = KINDS[asked["kind"]]
    values = {n: asked["parameters"].get(n, first) for n, (first, _) in kind.parameters.items()}
    arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return "\n".join([
        f"from brian2lava.fit.synapse import fit_synapse, {asked['kind']}",
        "",
        f"result = fit_synapse({asked['kind']}({arguments}))",
        "best = result.found[0]",
        "print(best.candidate.name, best.registers, best.errors)",
        "print(best.brian2_code())",
    ])  # fmt: skip


OPERATIONS: dict[str, Any] = {
    "synapse_start": start,
    "synapse_status": status,
    "synapse_script": script,
}
