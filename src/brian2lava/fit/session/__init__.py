"""A session: target, settings, fits and every edit in one file that survives whatever happens."""

from brian2lava.fit.session.fits import KeptFit
from brian2lava.fit.session.session import SESSION_VERSION, Session
from brian2lava.fit.session.synapses import KeptSynapse

__all__ = ["SESSION_VERSION", "KeptFit", "KeptSynapse", "Session"]
