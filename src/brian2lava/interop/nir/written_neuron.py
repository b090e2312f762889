"""A chip's neuron with real numbers in it as a NIR node.

A population steps as ``u' = (1 - s) u + input``, ``v' = (1 - a) v + u' + bias``, relative to its
reset; see :mod:`brian2lava.chip.ideal`. In NIR's terms a = leak(tau_mem), s = leak(tau_syn), and
``u = a r I``: what the user's equations call the current is NIR's I, so that r is Phi_vu / a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import nir
import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Reals, StateLink
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.nir.convention import Convention

#: What counts as all or nothing of a decay.
_NOTHING = 1e-12
#: Relative to what is compared: values that are equal but for rounding.
_SAME = 1e-9

#: By model: what NIR has no node for.
REFUSED: Mapping[str, str] = {
    "ALIF": "its threshold moves",
    "ATRLIF": "its threshold moves",
    "CubaLIF2": "input reaches it through two currents (or a current and its voltage)",
    "ProbSpiker": "it fires by chance",
    "RF": "it resonates: two states turn",
    "RF_IZ": "it resonates: two states turn",
    "TernaryLIF": "it has two thresholds",
}


@dataclass(frozen=True)
class WrittenNeuron:
    """A node and what its inputs are measured in.

    Attributes
    ----------
    node : nir.NIRNode or None
        None where the group only adds up what arrives.
    size : int
    per_weight : array of shape (size,)
        What v gains in its first step from a spike over a NIR weight of 1.
    bias : array of shape (size,) or None
        For the Affine before the node.
    notes : tuple of str
        What went into metadata.
    """

    node: Any
    size: int
    per_weight: Reals
    bias: Reals | None = None
    notes: tuple[str, ...] = ()

    def shaped(self, shape: tuple[int, ...]) -> Any:
        """The node with parameters of another shape."""
        if shape == (self.size,):
            return self.node
        kept = {
            name: value.reshape(shape)
            for name, value in vars(self.node).items()
            if isinstance(value, np.ndarray) and value.shape == (self.size,)
        }
        return type(self.node)(**kept, metadata=self.node.metadata)


def written_neuron(
    population: IdealPopulation, convention: Convention, w_in: float | str, driven: bool
) -> WrittenNeuron:
    """The NIR node of a population; ``driven`` where synapses reach it, before which a bias can be.

    Raises
    ------
    NotSupported
        NIR has no such neuron; the message says what it does and names the group.
    OptionError
        ``w_in`` is neither a number nor "dt".
    """
    if population.model in REFUSED:
        refuse(population, REFUSED[population.model])
    if population.model not in ("LIF", "LIFSoft"):
        refuse(population, f"it is a {population.model}")
    if population.quantity("refractory") is not None or "blocked" in population.initial:
        refuse(population, "it has a refractory period")
    if population.quantity("noise_exp") is not None:
        refuse(population, "its equations contain noise")
    return _Leaky(population, convention, w_in, driven).written()


def refuse(population: IdealPopulation, what: str) -> NoReturn:
    """Raise NotSupported about a group."""
    raise NotSupported(
        f"to_nir(): NeuronGroup '{population.name}': {what}, and NIR has no node for that. NIR's"
        " neurons are leaky or not, with at most one synaptic current, a fixed threshold, and a"
        " reset to a value: use such a group."
    )


def _difference(a: Reals, b: Reals) -> Reals:
    """a - b without what is rounding only."""
    difference = a - b
    return np.where(np.abs(difference) <= _NOTHING * (np.abs(a) + np.abs(b)), 0.0, difference)


class _Leaky:
    """A population of the models LIF and LIFSoft."""

    def __init__(
        self,
        population: IdealPopulation,
        convention: Convention,
        w_in: float | str,
        driven: bool,
    ) -> None:
        self.population, self.convention, self.size = population, convention, population.size
        links = {link.state: link for link in population.links}
        self.origin = self._each(links["v"].offset)
        self.link: StateLink | None = links.get("u")
        self.leak, self.decay = self._value("dv"), self._value("du")
        level = population.quantity("vth")
        assert level is not None
        self.fires = level.kind == "threshold"
        #: NIR's neurons fire above their thresholds
        self.inclusive = level.inclusive or population.quantity("inclusive") is not None
        self.level = self._each(level.value) + self.origin
        self.pulse = bool(np.all(np.abs(self.decay - 1) <= _NOTHING))
        self.w_in = self._w_in(w_in)
        self.gain = self._gain()
        self.flowing = self._flowing(driven)
        self.drift = _difference(self._value("bias"), self.gain * self.flowing)

    def _each(self, values: Any) -> Reals:
        return np.array(np.broadcast_to(np.asarray(values, np.float64), (self.size,)))

    def _value(self, register: str) -> Reals:
        quantity = self.population.quantity(register)
        assert quantity is not None, register
        return self._each(quantity.value)

    def _w_in(self, given: float | str) -> Reals:
        if self.pulse:
            return np.ones(self.size)
        if given == "dt":
            return 1 / self.decay
        if isinstance(given, str) or not (np.isfinite(given) and given):
            raise OptionError(f'w_in={given!r}: give a number other than 0, or "dt".')
        return self._each(given)

    # ------------------------------------------------------------ which node
    def written(self) -> WrittenNeuron:
        """The node of this population."""
        if np.any(self.decay <= _NOTHING):
            refuse(self.population, "its current does not decay")
        still = np.abs(self.leak) <= _NOTHING
        if np.any(still) and not np.all(still):
            refuse(self.population, "some of its neurons leak and some do not")
        if np.all(still):
            return self._without_leak()
        if np.any(self.leak < 0) or np.any(self.leak > 1 + _NOTHING):
            refuse(self.population, "its voltage grows or swings by itself")
        if self.pulse and np.all(np.abs(self.leak - 1) <= _NOTHING):
            return self._without_memory()
        return self._with_leak()

    def _gain(self) -> Reals:
        """Phi_vu: what v gains from a current of 1; for spikes onto v itself, one of our choice."""
        if self.link is not None:
            return self._each(self.link.gain)
        return np.where(np.abs(self.leak) <= _NOTHING, 1.0, self.leak)

    def _flowing(self, driven: bool) -> Reals:
        """The current at rest, where NIR shall have it from the bias of an Affine.

        Elsewhere it is part of v_leak: without synapses, and where it has long settled.
        """
        if self.link is None or not driven:
            return np.zeros(self.size)
        settled = not np.any(self._each(self.population.initial.get("u", 0.0)))
        if settled and not self.pulse:
            return np.zeros(self.size)
        return self._each(self.link.offset)

    @property
    def per_weight(self) -> Reals:
        """What v gains in its first step from a spike over a NIR weight of 1."""
        return np.asarray(self.gain * self.w_in * self.decay * self.convention.spike)

    def _bias(self, more: Reals | None = None) -> Reals | None:
        """What the Affine before the node adds."""
        bias = self.flowing / self.w_in + (0.0 if more is None else more)
        return bias if np.any(np.abs(bias) > _NOTHING) else None

    def _without_leak(self) -> WrittenNeuron:
        if not self.pulse:
            refuse(self.population, "it has a synaptic current but its voltage does not leak")
        metadata, notes = self._start(np.zeros(self.size))
        r = self.gain / self.convention.dt
        node = (
            nir.IF(r=r, v_threshold=self.level, v_reset=self.origin, metadata=metadata)
            if self.fires
            else nir.I(r=r, metadata=metadata)
        )
        bias = self._bias(self.drift / self.gain)
        return WrittenNeuron(node, self.size, self.per_weight, bias, notes)

    def _without_memory(self) -> WrittenNeuron:
        """v is what arrives: a Threshold, or nothing but a sum."""
        rest = self.drift + self.origin
        if not self.fires:
            per_weight = self.per_weight / self.gain
            bias = self.gain * self.flowing + rest
            return WrittenNeuron(None, self.size, per_weight, bias if np.any(bias) else None)
        if np.any(self.gain <= 0):
            refuse(self.population, "what drives it is turned around (a gain below 0)")
        if self.inclusive:
            refuse(self.population, "what arrives at its threshold fires, too (write > for >=)")
        node = nir.Threshold(threshold=(self.level - rest) / self.gain)
        return WrittenNeuron(node, self.size, self.per_weight, self._bias())

    def _with_leak(self) -> WrittenNeuron:
        rest = self.origin + self.drift / self.leak
        metadata, notes = self._start(rest)
        common: dict[str, Any] = {"r": self.gain / self.leak, "v_leak": rest, "metadata": metadata}
        if self.fires:
            common |= {"v_threshold": self.level, "v_reset": self.origin}
        tau = self.convention.tau(self.leak)
        if self.pulse:
            node = (nir.LIF if self.fires else nir.LI)(tau=tau, **common)
        else:
            node = (nir.CubaLIF if self.fires else nir.CubaLI)(
                tau_mem=tau,
                tau_syn=self.convention.tau(self.decay),
                w_in=self.w_in,
                **common,
            )
        return WrittenNeuron(node, self.size, self.per_weight, self._bias(), notes)

    def _start(self, rest: Reals) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What only metadata can say: values to start from, and a threshold that is subtracted."""
        metadata: dict[str, Any] = {}
        notes = []
        v = self.origin + self._each(self.population.initial.get("v", 0.0))
        scale = np.max(np.abs([rest, v, self.level if self.fires else v]), axis=0)
        if np.any(np.abs(v - rest) > _SAME * scale):
            metadata["v_start"] = v
            notes.append("v does not start at rest (metadata v_start)")
        before = self._each(self.population.initial.get("u", 0.0)) / self.gain
        current = np.asarray((before + self.flowing) * (1 - self.decay))
        if np.any(np.abs(current) > _SAME * (1 + np.abs(self.flowing))):
            metadata["I_start"] = current
            notes.append("its current does not start at 0 (metadata I_start)")
        if self.population.model == "LIFSoft":
            metadata["reset"] = "subtract"
            notes.append("a spike takes the threshold off v (metadata reset)")
        if self.inclusive:
            metadata["fires"] = "at"
            notes.append("v at the threshold fires, too (metadata fires)")
        return metadata, tuple(notes)
