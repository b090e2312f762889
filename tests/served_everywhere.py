"""A plugin for pytest: every run configuration is served by CompiledCfg's runtime, not by Lava's.

``PYTHONPATH=tests python -m pytest -p served_everywhere`` over Lava's own tests runs them compiled.
"""

from __future__ import annotations

from brian2lava.interop.compiled import config


def pytest_configure() -> None:
    """Take over before the first test."""
    config._served = lambda run_cfg: True
