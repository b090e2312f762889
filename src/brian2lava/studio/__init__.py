"""The studio: a page on which chip neurons are fitted and tuned beside what they have to do.

``brian2lava studio`` opens it; :func:`serve` and :func:`show` do from Python.
"""

from brian2lava.studio.serving import Page, serve, show

__all__ = ["Page", "serve", "show"]
