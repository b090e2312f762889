"""The parts that Brian2's suite falls into, by pytest marker, and how each of them is run.

Every test of Brian2 2.9 belongs to one part (200 + 16 + 72 + 400 + 57 = 745). The 72 for runtime
devices are run twice, as `brian2.test` does: some are for one code generation target only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Phase:
    """One part of the suite.

    `markers` is the pytest marker expression that selects it. `on_device` says whether the device
    under test is active; where it is not, its package is imported and Brian2's runtime device is
    active. `options` go to `set_device`. `target` is `prefs.codegen.target`, None for the default.
    """

    name: str
    markers: str
    on_device: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    target: str | None = None


# What `brian2.test(test_standalone=...)` hands to set_device.
_STANDALONE = {"directory": None, "with_output": False}
_ORDINARY = "not long and not gsl"
_RUNTIME = "not standalone_compatible and not standalone_only and not codegen_independent"

PHASES: dict[str, Phase] = {
    phase.name: phase
    for phase in (
        Phase(
            "standalone",
            f"standalone_compatible and not multiple_runs and {_ORDINARY}",
            options=_STANDALONE,
        ),
        Phase(
            "multiple_runs",
            f"standalone_compatible and multiple_runs and {_ORDINARY}",
            options={**_STANDALONE, "build_on_run": False},
        ),
        Phase("runtime_only", _RUNTIME, target="cython"),
        Phase("runtime_only_numpy", _RUNTIME, target="numpy"),
        Phase(
            "codegen_independent",
            "codegen_independent and not gsl",
            on_device=False,
            target="numpy",
        ),
        Phase(
            "rest",
            "(standalone_compatible and (long or gsl)) or standalone_only"
            " or (codegen_independent and gsl)",
            options=_STANDALONE,
        ),
    )
}
