"""The chip neurons that a fit chooses among, in physical terms."""

from brian2lava.fit.candidates.candidate import Candidate, Parameter
from brian2lava.fit.candidates.table import CANDIDATES, candidate

__all__ = ["CANDIDATES", "Candidate", "Parameter", "candidate"]
