"""What the page shows, as the Python that does the same."""

from __future__ import annotations

from brian2lava.studio.setup import Setup


def tune_code(setup: Setup) -> str:
    """The chip neuron on the bench, run through the target's current, and its score."""
    values = ",\n".join(
        f"    {name!r}: np.array([{value:.6g}])" for name, value in setup.tuning.values.items()
    )
    lines = [
        "import numpy as np",
        "from brian2lava.fit.batch import Batch, Stimulus",
        "from brian2lava.fit.candidates import candidate",
        "from brian2lava.fit.candidates.candidate import Frame",
        "from brian2lava.fit.metrics import score",
        "",
        f"# target: {setup.target.name} ({setup.target.source or 'given'})",
        f"sweep = target.sweeps[{setup.sweep}]",
        f"neuron = candidate({setup.candidate_name!r})",
        f"frame = Frame(dt={setup.dt:g}, reach=abs(sweep.current).max(),"
        f" threshold={setup.threshold}, drive={setup.drive!r})",
        "settings = neuron.to_settings({",
        values + ",",
        "}, frame)",
    ]
    if setup.tuning.overrides:
        changed = dict(sorted(setup.tuning.overrides.items()))
        lines += [
            "from brian2lava.studio.setup import with_registers",
            f"settings = with_registers(settings, {changed!r})",
        ]
    lines += [
        f"out = Batch(neuron.model, drive={setup.drive!r}).run(settings, Stimulus(sweep.current),"
        " traces=True)",
        f"print(score(sweep.spikes, out.train(0) * {setup.dt:g}, target.held_out))",
    ]
    return "\n".join(lines)
