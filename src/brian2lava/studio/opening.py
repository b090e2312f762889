"""What lies on the bench when the studio opens."""

from __future__ import annotations

from pathlib import Path

from brian2lava.fit.target import Target
from brian2lava.studio import keeping
from brian2lava.studio.desk import Desk
from brian2lava.studio.model_targets import LANDING, made_from
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
        The session can't be read.
    """
    path = Path(session) if session is not None else keeping.kept_in()
    if target is not None:
        return Desk(Workbench(target), path)
    if path.exists():
        return Desk.restored(path)
    return Desk(Workbench(made_from(LANDING), "ATRLIF", origin=LANDING), path)
