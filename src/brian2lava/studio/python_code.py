"""What the page shows, as the Python that does the same."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.studio.setup import Setup
from brian2lava.studio.synapse_page import synapse_code

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk


def code_of(desk: Desk, page: str) -> str:
    """The Python of a page."""
    if page == "synapse":
        return synapse_code(desk.synapse.asked)
    setup = desk.bench.setup
    made = {
        "tune": tune_code,
        "target": target_code,
        "fit": fit_code,
        "compare": fit_code,
        "precision": precision_code,
        "export": export_code,
    }
    return "\n".join([*_target_lines(setup), "", made.get(page, tune_code)(setup)])


def _target_lines(setup: Setup) -> list[str]:
    """How the target comes about."""
    origin, target = setup.origin, setup.target
    if origin:
        arguments = [repr(origin["model"])]
        if origin.get("pattern"):
            arguments.append(f"pattern={origin['pattern']!r}")
        if origin.get("parameters"):
            arguments.append(f"parameters={dict(origin['parameters'])!r}")
        lines = ["from brian2lava.fit.target import model_target"]
        if origin.get("noise"):
            lines.append("from brian2lava.fit.target.stimuli import Noise")
            noise = ", ".join(f"{key}={value!r}" for key, value in origin["noise"].items())
            arguments.append(f"stimulus=Noise({noise})")
        arguments.append(f"dt={origin.get('dt') or 1e-4!r}")
        call = f"model_target({', '.join(arguments)},"
    elif target.source.startswith("recording "):
        lines = ["from brian2lava.fit.target import read_recording"]
        call = f"read_recording({target.source.removeprefix('recording ')!r},"
    else:
        return [f"# target: {target.name}, which was given from Python"]
    return [
        *lines,
        f"target = {call}",
        f"    train={_spans(target.train)}, held_out={_spans(target.held_out)})",
    ]


def _at_step(setup: Setup) -> list[str]:
    """The target at the chip's time step, where that is another."""
    if setup.dt == setup.target.dt:
        return []
    return [
        "from brian2lava.fit.target.resample import resampled",
        f"target = resampled(target, {setup.dt!r})",
    ]


def _spans(spans: Any) -> str:
    return repr([(round(a, 6), round(b, 6)) for a, b in spans])


def target_code(setup: Setup) -> str:
    """What is shown of the target."""
    return "\n".join([
        "from brian2lava.fit.metrics import reliability",
        "",
        f"sweep = target.sweeps[{setup.sweep}]",
        "print(len(sweep.spikes), 'repeats,', sweep.steps, 'samples')",
        "if len(sweep.spikes) > 1:",
        "    print(reliability(sweep.spikes, target.held_out, 2e-3))",
    ])  # fmt: skip


def whole_fit(setup: Setup, fitting: Fitting | None) -> str:
    """Target and fit, as a script that finds the same again."""
    if fitting is None:
        return "\n".join([*_target_lines(setup), "", fit_code(setup)])
    changed = {
        field.name: getattr(fitting.options, field.name)
        for field in fields(fitting.options)
        if getattr(fitting.options, field.name) != getattr(FitOptions(), field.name)
    }
    given = [repr([each.name for each in fitting.candidates])]
    given += [f"{name}={value!r}" for name, value in changed.items()]
    arguments = ",\n    ".join(given)
    return "\n".join([
        *_target_lines(setup),
        "",
        "from brian2lava.fit import fit",
        "",
        f"result = fit(target,\n    {arguments})",
        "print(result)",
    ])  # fmt: skip


def export_code(setup: Setup) -> str:
    """The files of the best neuron of a fit."""
    return "\n".join([
        fit_code(setup),
        "",
        "from brian2lava.fit.export import export",
        "",
        "made = export(result, 'exported')",
        "print(made.files, made.left_out)",
    ])  # fmt: skip


def fit_code(setup: Setup) -> str:
    """The fit as it would be started now."""
    fixed = {
        name: {locked: tuning.values[locked] for locked in sorted(tuning.locked)}
        for name, tuning in setup.tunings.items()
        if tuning.locked
    }
    more = f", fixed={fixed!r}" if fixed else ""
    return "\n".join([
        "from brian2lava.fit.search import fit",
        "",
        f"result = fit(target, dt={setup.dt!r}, drive={setup.drive!r},"
        f" window={setup.window!r}{more})",
        "print(result)",
        "best = result.best",
        "print(best.candidate.name, best.settings.registers, best.physical)",
    ])  # fmt: skip


def precision_code(setup: Setup) -> str:
    """The neuron on the bench over the chip's time step."""
    values = ",\n".join(
        f"    {name!r}: np.array([{value:.6g}])" for name, value in setup.tuning.values.items()
    )
    return "\n".join([
        "import numpy as np",
        "from brian2lava.fit.batch import Batch, Stimulus",
        "from brian2lava.fit.candidates import candidate",
        "from brian2lava.fit.candidates.candidate import Frame",
        "from brian2lava.fit.metrics import gamma_factor",
        "from brian2lava.fit.target.resample import resampled",
        "",
        f"neuron = candidate({setup.candidate_name!r})",
        "values = {",
        values + ",",
        "}",
        "for dt in (1e-4, 2e-4, 2.5e-4, 5e-4, 1e-3, 2e-3):",
        f"    sweep = resampled(target, dt).sweeps[{setup.sweep}]",
        "    reach = abs(sweep.current).max()",
        f"    frame = Frame(dt, reach, {setup.threshold}, drive={setup.drive!r})",
        f"    batch = Batch(neuron.model, drive={setup.drive!r})",
        "    out = batch.run(neuron.to_settings(values, frame), Stimulus(sweep.current))",
        "    spikes = out.train(0) * dt",
        f"    print(dt, gamma_factor(sweep.spikes[0], spikes, target.held_out, {setup.window!r}))",
    ])  # fmt: skip


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
        *_at_step(setup),
        f"sweep = target.sweeps[{setup.sweep}]",
        "reach = max(abs(each.current).max() for each in target.sweeps)",
        f"neuron = candidate({setup.candidate_name!r})",
        f"frame = Frame(dt={setup.dt:g}, reach=reach,"
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
