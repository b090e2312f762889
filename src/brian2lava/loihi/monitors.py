"""Monitors of brian2-loihi: Brian2's, with whole steps as times and the chip's moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import SpikeMonitor, StateMonitor, ms
from numpy.typing import NDArray

from brian2lava.errors import NotSupported

#: In which slot of a step a state is read: currents and traces before they decay.
_SLOT = {
    **dict.fromkeys(("v", "w", "w_act"), "end"),
    **dict.fromkeys(("I", "x1", "x2", "y1", "y2", "y3"), "synapses"),
}


class LoihiSpikeMonitor(SpikeMonitor):
    """Spikes of a group or generator: ``i`` and ``t``, both integers.

    Parameters are those of Brian2's monitor, without units. ``t`` is rounded to the nearest step;
    brian2-loihi 0.5.2 cuts off, so that its times from step 4007 on can be one too small.
    """

    def __init__(
        self,
        source: Any,
        variable: Any = None,
        record: bool = True,
        order: int | None = None,
        name: str = "loihi_spikemonitor*",
    ) -> None:
        super().__init__(source, variable, record=record, order=order, name=name)
        self.when = "end"

    @property
    def t(self) -> NDArray[np.int64]:
        """Steps of the spikes, shape (spikes,)."""
        steps: NDArray[np.int64] = np.round(np.asarray(self.t_) / float(ms)).astype(np.int64)
        return steps


class LoihiStateMonitor(StateMonitor):
    """One state over time, shape (recorded, steps): v and weights after the step, I and traces
    when spikes have arrived and before decay.

    Parameters
    ----------
    source : LoihiNeuronGroup, a part of one, or LoihiSynapses
    variable : str
        One of the names in ``brian2lava.loihi.state``.
    record : bool, int, sequence of int
    order : int
    name : str

    Raises
    ------
    NotSupported
        More than one variable, or one that is not among those.
    """

    def __init__(
        self,
        source: Any,
        variable: str,
        record: Any = True,
        order: int = 0,
        name: str = "loihi_statemonitor*",
    ) -> None:
        if not isinstance(variable, str) or variable not in _SLOT:
            raise NotSupported(
                f"LoihiStateMonitor(..., {variable!r}): a monitor records one of"
                f" {', '.join(_SLOT)}. Make one monitor a variable."
            )
        super().__init__(source, variable, record=record, order=order, name=name)
        self.when = _SLOT[variable]
