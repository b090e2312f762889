"""What is fitted: currents, and the spikes and voltages that they caused."""

from brian2lava.fit.target.target import Sweep, Target

__all__ = ["Sweep", "Target"]
