"""The folder for what is worth keeping between runs: compiled programs, integrators' results."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$BRIAN2LAVA_CACHE``, else ``brian2lava`` in the user's cache folder. It may not exist."""
    chosen = os.environ.get("BRIAN2LAVA_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "brian2lava"
