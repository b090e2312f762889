"""What lies on the bench when the studio opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.session import Session
from brian2lava.fit.target import Sweep, Target
from brian2lava.studio import keeping
from brian2lava.studio.desk import Desk
from brian2lava.studio.model_targets import LANDING, made_from
from brian2lava.studio.runs import run_pair
from brian2lava.studio.workbench import Workbench


def open_desk(target: Target | None = None, session: str | Path | None = None) -> Desk:
    """The desk of a session: as it was left, or with a neuron that is running already.

    Parameters
    ----------
    target : Target, optional
        Replaces what was there.
    session : path, optional
        See :func:`brian2lava.studio.serve`.

    Raises
    ------
    FitError
        The session can't be read, or nothing can be kept there.
    """
    path = Path(session) if session is not None else keeping.kept_in()
    kept = Session.load(path) if path.exists() else Session(path=path)
    if target is not None:
        desk = Desk(Workbench(target, session=kept))
    elif not kept.targets:
        desk = Desk(landing(kept))
    else:
        desk = Desk(Workbench.resumed(kept))
    try:
        desk.save()  # now, and not after an hour of work
    except FitError as problem:
        raise FitError(f"{problem} Choose another file for the session.") from problem
    return desk


#: What `fit(target, ["ATRLIF"])` finds for the landing target: physical values and registers.
_VALUES = {
    "tau_m": 13.1126e-3, "tau_s": 3.93462e-3, "gain": 9.36808e9, "bias": -0.666713,
    "tau_theta": 0.4095, "theta_step": 0.549438, "tau_r": 6.84189e-3,
}  # fmt: skip
_REGISTERS = {
    "delta_i": 202, "delta_v": 62, "delta_theta": 2, "delta_r": 118, "theta_0": 7023,
    "theta_step": 4501, "bias_mant": -2268, "bias_exp": 1, "weight": 6, "exponent": -8,
    "scale": 2.105861e12,
}  # fmt: skip


def landing(session: Session) -> Workbench:
    """An AdEx neuron under a noisy current, and a chip neuron that has been fitted to it."""
    return Workbench(made_from(LANDING), "ATRLIF", _VALUES, LANDING, _REGISTERS, session)


def compile_all() -> None:
    """Compile every candidate, so that nobody waits for the one that is chosen next."""
    target = Target("a step", 1e-3, (Sweep(np.ones(64), (np.array([0.01]),)),))
    for name in CANDIDATES:
        try:
            run_pair(Workbench(target, name).setup)
        except BrianLavaError:
            return  # whoever needs it is told
