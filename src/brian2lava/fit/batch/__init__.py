"""Many settings of one chip neuron, run side by side on one stimulus."""

from brian2lava.fit.batch.batch import Batch, Outcome
from brian2lava.fit.batch.settings import Settings
from brian2lava.fit.batch.stimulus import Stimulus

__all__ = ["Batch", "Outcome", "Settings", "Stimulus"]
