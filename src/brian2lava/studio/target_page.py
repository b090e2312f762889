"""What the page Target asks for: models, recordings, what they look like, how reliable they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.metrics import reliability
from brian2lava.fit.target import Target, read_recording_bytes
from brian2lava.studio.decimate import least_and_largest, positions
from brian2lava.studio.model_targets import known_models, made_from
from brian2lava.studio.scores import spans_of
from brian2lava.studio.typed_equations import EXAMPLE, METHODS, form_of, read

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
_WINDOWS = (2e-3, 4e-3)
#: Repeats of which spikes are drawn.
_ROWS = 40


def models(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Every built-in model, and what the target on the bench was made of."""
    return {"models": known_models(), "origin": desk.bench.setup.origin}, {}


def from_model(desk: Desk, given: Mapping[str, Any]) -> None:
    """A built-in model becomes the target."""
    origin = {key: given.get(key) for key in ("model", "pattern", "parameters", "noise", "dt")}
    desk.bench.set_target(made_from(origin), origin)


def equations(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The form of typed equations: as the target on the bench has it, or an example."""
    origin = desk.bench.setup.origin
    typed = bool(origin.get("equations"))
    form = form_of(origin["equations"] if typed else EXAMPLE)
    kept = {key: origin[key] for key in ("stimulus", "dt")} if typed else {}
    return {"form": form, "methods": METHODS, "typed": typed, **kept, **_looked(form)}, {}


def check_equations(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """What is wrong with a form, by field, and what its equations leave open."""
    return _looked(form_of(given["form"])), {}


def _looked(form: Mapping[str, Any]) -> dict[str, Any]:
    found = read(form)
    shown = ("errors", "parameters", "states", "input", "voltage")
    return {name: getattr(found, name) for name in shown}


def from_equations(desk: Desk, given: Mapping[str, Any]) -> None:
    """Typed equations become the target."""
    origin = {
        "equations": form_of(given["form"]), "stimulus": given.get("stimulus"),
        "dt": given.get("dt"),
    }  # fmt: skip
    desk.bench.set_target(made_from(origin), origin)


def from_file(desk: Desk, given: Mapping[str, Any]) -> None:
    """A recording becomes the target."""
    data = given["arrays"].get("file")
    if data is None:
        raise FitError("the file did not arrive; drop it again.")
    options: dict[str, Any] = {}
    if given.get("dt"):
        options["dt"] = float(given["dt"])
    if given.get("units"):
        options["units"] = {k: v for k, v in given["units"].items() if v}
    if given.get("spike_threshold") is not None:
        options["spike_threshold"] = float(given["spike_threshold"])
    target = read_recording_bytes(str(given["name"]), np.asarray(data).tobytes(), **options)
    desk.bench.set_target(target)


def overview(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """A sweep as a whole: current, voltage, spikes of its repeats, reliability of each kind."""
    target = desk.bench.setup.target
    k = int(given.get("sweep", 0))
    if not 0 <= k < len(target.sweeps):
        raise FitError(f"sweep {k}; the target has {len(target.sweeps)}.")
    sweep, width = target.sweeps[k], max(16, min(int(given.get("width", 1000)), 4096))
    arrays: dict[str, Any] = {
        "t": positions(0, sweep.steps, width) * target.dt,
        "current": least_and_largest(sweep.current, 0, sweep.steps, width),
    }
    if sweep.voltage is not None:
        arrays["voltage"] = least_and_largest(sweep.voltage, 0, sweep.steps, width)
    for r, train in enumerate(sweep.spikes[:_ROWS]):
        arrays[f"spikes{r}"] = train
    voltage = sweep.voltage
    header = {
        "sweep": k,
        "repeats": len(sweep.spikes),
        "range": {
            "current": [float(sweep.current.min()), float(sweep.current.max())],
            "voltage": None if voltage is None else [float(voltage.min()), float(voltage.max())],
        },
        "kinds": {kind: _kind(target, kind, k) for kind in ("train", "held_out")},
    }
    return header, arrays


def _kind(target: Target, kind: str, sweep: int) -> dict[str, Any]:
    """Spikes and reliability in the spans of a kind."""
    spans = spans_of(target, kind, sweep)
    trains = target.sweeps[sweep].spikes
    counts = [int(sum(((t >= a) & (t < b)).sum() for a, b in spans)) for t in trains]
    found: dict[str, Any] = {
        "seconds": sum(b - a for a, b in spans),
        "spikes": float(np.mean(counts)) if counts else None,
        "reliability": None,
    }
    if len(trains) > 1 and spans:
        try:
            found["reliability"] = [reliability(trains, spans, window) for window in _WINDOWS]
        except FitError as reason:
            found["why"] = str(reason)
    elif len(trains) == 1:
        found["why"] = "one repeat: reliability needs two or more, and is taken as 1."
    return found


OPERATIONS: dict[str, Any] = {
    "models": models, "overview": overview, "equations": equations,
    "check_equations": check_equations,
}  # fmt: skip
CHANGES: dict[str, Any] = {
    "from_model": from_model, "from_file": from_file, "from_equations": from_equations,
}  # fmt: skip
