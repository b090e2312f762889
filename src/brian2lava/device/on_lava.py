"""Where a script's chip network runs: in the emulator, in Lava's processes, or on the chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brian2.core.base import BrianObject
from brian2.core.network import Network

from brian2lava.capture.network import Captured
from brian2lava.chip.lower import Surroundings
from brian2lava.device.lava_steps import LavaSteps
from brian2lava.device.on_chip import OnChip
from brian2lava.engine.cpu import instance as cpu
from brian2lava.errors import NotSupported
from brian2lava.interop.backend import Backend, choose_backend
from brian2lava.options import Options

#: How a report says where integers were computed.
_COMPUTED = {
    "emulator": "emulated",
    "lava": "computed by Lava's processes",
    "chip": "computed on the chip",
}


def chip_run(
    device: Any, net: Network, clocks: Sequence[Any], namespace: Mapping[str, Any]
) -> tuple[OnChip, list[str]]:
    """The run of a network where ``set_device(..., backend=...)`` says, and a list for notes on it.

    Raises
    ------
    NotSupported
        There is no such place here: says what is missing.
    """
    backend, _ = _chosen(device.options)
    notes: list[str] = []
    if backend == "emulator":
        return OnChip(device, net, clocks, namespace), notes
    return OnLava(device, net, clocks, namespace, backend, notes), notes


def computed(options: Options) -> str:
    """Where integers are computed, for reports."""
    return _COMPUTED[_chosen(options)[0]]


def _chosen(options: Options) -> tuple[Backend, str]:
    return choose_backend(options.backend, options.hardware, small=True)


class OnLava(OnChip):
    """A run whose spikes and states come from Lava; see :class:`LavaSteps`.

    Parameters
    ----------
    device, net, clocks, namespace
        As of :class:`OnChip`.
    backend : "lava" or "chip"
    notes : list of str
        Where it is noted what the report should say.
    """

    def __init__(
        self,
        device: Any,
        net: Network,
        clocks: Sequence[Any],
        namespace: Mapping[str, Any],
        backend: Backend,
        notes: list[str],
    ) -> None:
        super().__init__(device, net, clocks, namespace)
        self._backend, self._notes = backend, notes
        self._around: Surroundings | None = None
        self._steps: LavaSteps | None = None

    def _surroundings(self, *arguments: Any) -> Surroundings:
        self._around = super()._surroundings(*arguments)
        for name in sorted(self._around.at_spikes):
            raise NotSupported(
                f"backend={self._backend!r}: a monitor records variables of '{name}' at its spikes,"
                " and Lava's processes show their states after the reset. Record them with a"
                " StateMonitor, or use backend='emulator'."
            )
        return self._around

    def lowered(self, captured: Captured, objects: Sequence[BrianObject]) -> Captured:
        """The captured network with the chip's operations, and Lava's values in their place."""
        composed = super().lowered(captured, objects)
        assert self.kept is not None and self._around is not None and self._low is not None
        clock = self.clocks[self._around.clock]
        self._steps = LavaSteps(
            self.device,
            self._backend,
            self.kept.quantised.network,
            self._low,
            self._around,
            composed,
            first=int(clock.variables["timestep"].get_value()[0]),
            steps=self.kept.steps,
            goes_on=self.before is not None,
        )
        return self._steps.composed()

    def _remember(self, objects: Sequence[BrianObject]) -> None:
        super()._remember(objects)
        for (name, _), pending in self.before.flying.items() if self.before else ():
            if len(pending.steps):
                raise NotSupported(
                    f"backend={self._backend!r}: {len(pending.steps)} spikes of '{name}' are on"
                    " their way from the last run, and Lava's processes can't begin with them. Run"
                    " all steps at once, or use backend='emulator'."
                )

    def begin(self, instance: cpu.Instance) -> None:
        """Run Lava before the loop."""
        assert self._steps is not None
        super().begin(instance)
        self._notes += self._steps.run(self.clocks, super().begin)
