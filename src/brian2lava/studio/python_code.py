"""What the page shows, as the Python that does the same."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.search import FitOptions
from brian2lava.studio.fit_page import chosen, options
from brian2lava.studio.setup import Setup
from brian2lava.studio.synapse_page import synapse_code
from brian2lava.studio.typed_equations import code_lines

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk


def code_of(desk: Desk, page: str) -> str:
    """The Python of a page."""
    if page == "synapse":
        return synapse_code(desk.synapse.asked)
    setup = desk.bench.setup
    if page in ("fit", "compare", "export"):
        made = {"fit": watched_code, "compare": fit_code, "export": export_code}[page](desk)
    else:
        of_setup = {"target": target_code, "precision": precision_code}
        made = of_setup.get(page, tune_code)(setup)
    return "\n".join([*_target_lines(setup), "", made])


def _target_lines(setup: Setup) -> list[str]:
    """How the target comes about."""
    origin, target = setup.origin, setup.target
    if origin.get("equations"):
        lines, arguments = code_lines(origin)
        call = "equations_target(\n    " + ",\n    ".join(arguments) + ","
    elif origin:
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


def whole_fit(desk: Desk) -> str:
    """Target and fit, as a script that finds the same again."""
    setup, fitting = desk.bench.setup, desk.fit.fitting
    made = (
        fit_code(desk)
        if fitting is None
        else _fit_call([each.name for each in fitting.candidates], fitting.options)
    )
    return "\n".join([*_target_lines(setup), "", made])


def export_code(desk: Desk) -> str:
    """The files of the best neuron of a fit."""
    return "\n".join([
        fit_code(desk),
        "",
        "from brian2lava.fit.export import export",
        "",
        "made = export(result, 'exported')",
        "print(made.files, made.left_out)",
    ])  # fmt: skip


def fit_code(desk: Desk) -> str:
    """The fit as it would be started now."""
    return _fit_call(*_asked(desk))


def watched_code(desk: Desk) -> str:
    """The same, looked at while it runs."""
    names, options = _asked(desk)
    given = ["target", _names(names), f"FitOptions({', '.join(_changed(options))})"]
    return "\n".join([
        "from brian2lava.fit import FitOptions, Fitting",
        "",
        f"fitting = Fitting(\n    {_lines(given)}\n)",
        "while not fitting.done:",
        "    progress = fitting.advance(1.0)  # seconds",
        "    for best in list(fitting.leading().values())[:1]:  # the least loss",
        "        print(f'{progress.done:.0%}', best.candidate.name, best.loss)",
        "result = fitting.result()",
        "print(result)",
        "best = result.best",
        "print(best.candidate.name, best.settings.registers, best.physical)",
    ])  # fmt: skip


def _asked(desk: Desk) -> tuple[list[str] | None, FitOptions]:
    """Candidates and options as the page Fit is set to."""
    given = chosen(desk)
    names = given["candidates"]
    return names, options(desk, {**given, "candidates": names or list(CANDIDATES)})


def _fit_call(names: list[str] | None, asked: FitOptions) -> str:
    given = ["target", _names(names), *_changed(asked)]
    return "\n".join([
        "from brian2lava.fit import fit",
        "",
        f"result = fit(\n    {_lines(given)}\n)",
        "print(result)",
        "best = result.best",
        "print(best.candidate.name, best.settings.registers, best.physical)",
    ])  # fmt: skip


def _names(names: list[str] | None) -> str:
    return "None" if names is None else repr(list(names))


def _lines(given: list[str]) -> str:
    return ",\n    ".join(given) + ","


def _changed(asked: FitOptions) -> list[str]:
    """Options that are not the first ones, as arguments."""
    return [
        f"{field.name}={getattr(asked, field.name)!r}"
        for field in fields(asked)
        if getattr(asked, field.name) != getattr(FitOptions(), field.name)
    ]


def precision_code(setup: Setup) -> str:
    """The neuron on the bench over time steps, bits and exponents."""
    where = f"sweep={setup.sweep}, window={setup.window!r}"
    return "\n".join([
        "import numpy as np",
        "from brian2lava.fit.candidates import candidate",
        "from brian2lava.fit.candidates.candidate import Frame",
        "from brian2lava.fit.precision import decay_map, weight_map",
        "",
        *_neuron_lines(setup),
        f"print(decay_map(target, neuron, values, frame, {where}))",
        "settings = neuron.to_settings({n: np.array([v]) for n, v in values.items()}, frame)",
        *_override_lines(setup),
        f"print(weight_map(target, neuron, settings, frame, {where}))",
    ])  # fmt: skip


def _neuron_lines(setup: Setup) -> list[str]:
    """Candidate, physical values, and what turns them into registers."""
    values = [f"    {name!r}: {value!r}," for name, value in setup.tuning.values.items()]
    return [
        f"neuron = candidate({setup.candidate_name!r})",
        "values = {",
        *values,
        "}",
        "reach = max(abs(each.current).max() for each in target.sweeps)",
        f"frame = Frame(dt={setup.dt!r}, reach=reach, threshold={setup.threshold},"
        f" drive={setup.drive!r})",
    ]


def _override_lines(setup: Setup) -> list[str]:
    """Registers that were set themselves."""
    if not setup.tuning.overrides:
        return []
    return [
        "from brian2lava.studio.setup import with_registers",
        f"settings = with_registers(settings, {dict(sorted(setup.tuning.overrides.items()))!r})",
    ]


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
    lines += _override_lines(setup)
    lines += [
        f"out = Batch(neuron.model, drive={setup.drive!r}).run(settings, Stimulus(sweep.current),"
        " traces=True)",
        f"print(score(sweep.spikes, out.train(0) * {setup.dt:g}, target.held_out))",
    ]
    return "\n".join(lines)
