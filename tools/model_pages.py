"""Writes docs/what_your_model_becomes: one page a chip model, from the code and a run of each.

Run ``python -m tools.model_pages`` after changing a model; a test compares the pages with the code.
Pictures are drawn only by that command (``--text`` leaves them out).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.arithmetic import ROWS, Call, Expression, Name, Number, rows_of
from brian2lava.chip.limits import Limit
from brian2lava.chip.models import MODELS
from brian2lava.chip.models.neuron import NeuronModel, Step
from brian2lava.chip.profiles import LAVA, PROFILES
from brian2lava.chip.quantise import ParameterRow
from brian2lava.chip.resources import LOIHI1
from tools.model_demos import DT, STEPS, Shown, run_all
from tools.model_scripts import REMARKS, SCRIPTS, script

FOLDER = Path(__file__).parent.parent / "docs" / "what_your_model_becomes"
MADE = "<!-- made by tools/model_pages.py -->"
#: Operations that are written between their operands.
_BETWEEN = {
    "add": "+", "subtract": "-", "multiply": "*", "shift_left": "<<", "shift_right": ">>",
    "remainder": "mod", "greater": ">", "greater_or_equal": ">=", "equal": "=", "both": "and",
    "either": "or",
}  # fmt: skip
#: Operations that speak for themselves, and need no row in a page's table.
_PLAIN = frozenset(_BETWEEN) | {"negation", "select", "clip"}


def pages(shown: dict[str, Shown]) -> dict[str, str]:
    """The text of each page, by file name."""
    made = {f"{name}.md": page(MODELS[name], shown[name]) for name in MODELS}
    return {"README.md": index(shown), **made}


def index(shown: dict[str, Shown]) -> str:
    """The page that leads to the others."""
    rows = [
        [
            f"[{name}]({name}.md)",
            summary(model),
            lava(model),
            "yes" if LOIHI1.per_neuron is not None and name in LOIHI1.per_neuron else "no",
            agreement(shown[name]),
        ]
        for name, model in MODELS.items()
    ]
    return "\n".join(
        [
            "# What your model becomes",
            "",
            MADE,
            "",
            "On a chip your equations become one of these neurons. Each page has the equations,"
            " the registers, a time step operation by operation, and one neuron in floating point"
            " and in the chip's integers. How the integers are computed, and how sure that is, is"
            " told in [The chip's arithmetic](../arithmetic.md); what a network takes of a chip in"
            " [Resources](../resources.md).",
            "",
            *table(["model", "what it is", "in Lava", "on Loihi 1", "float and chip"], rows),
            "",
            f"The last column: spikes of the page's neuron in {STEPS} steps, in floating point and"
            " on the chip, and how many of them lie within one step of each other.",
            "",
        ]
    )


def page(model: NeuronModel, shown: Shown) -> str:
    """The page of one model."""
    step = model.step(LAVA, frozenset())
    return "\n".join(
        [
            f"# {model.name}",
            "",
            MADE,
            "",
            summary(model),
            "",
            shown.demo.says,
            "",
            f"In Lava: {lava(model)}. {places(model)}",
            "",
            "## Equations",
            "",
            *brian2(model),
            "On the chip, in integers (`dec` is decay toward zero, `a` what arrived):",
            "",
            *code(part.strip() for part in model.equations.split(";")),
            "",
            "## Registers and states",
            "",
            *table(
                ["register", "meaning", "range", "default", "source"],
                [
                    [f"`{r.name}`", r.meaning, limits(r.limit), f"{r.default}", r.limit.source]
                    for r in model.registers
                ],
            ),
            "",
            *table(
                ["state", "meaning", "range", "first"],
                [
                    [f"`{s.name}`", s.meaning, limits(s.limit),
                     "0" if s.initial is None else f"`{text(s.initial)}`"]
                    for s in model.states
                ],
            ),
            "",
            f"Input ports: {', '.join(f'`{p}`' for p in model.ports) or 'none'}.",
            "",
            "## One time step",
            "",
            "With the arithmetic `lava`, as the emulator computes it:",
            "",
            *code(listing(model, step)),
            "",
            *operations(model, step),
            *other_profiles(model),
            *counters(step),
            "## Float and chip",
            "",
            f"![One neuron in floating point and on the chip](pictures/{model.name}.png)",
            "",
            f"{STEPS} steps of {DT * 1e3:g} ms, one neuron. {comparison(shown)}",
            "",
            *table(
                ["parameter", "value", "register", "integer", "which means", "error"],
                [parameter(row) for row in shown.quantised.rows],
            ),
            "",
            *(f"- {warning}" for warning in shown.quantised.warnings),
            *([""] if shown.quantised.warnings else []),
        ]
    )  # fmt: skip


def brian2(model: NeuronModel) -> list[str]:
    """Brian2 equations that become the model, and what is worth knowing of them."""
    group, remark = SCRIPTS[model.name], REMARKS.get(model.name)
    lines = ["Brian2 equations that become this, whatever their names, units and order:", "",
             *code(script(group), "python"), ""] if group is not None else []  # fmt: skip
    return [*lines, *([remark, ""] if remark else [])]


def summary(model: NeuronModel) -> str:
    """The first sentence of the docstring of the model's module."""
    words = sys.modules[model.step.__module__].__doc__ or ""
    first = " ".join(words.partition("\n\n")[0].split())
    return first.partition("; :func:")[0].rstrip(".") + "."


def lava(model: NeuronModel) -> str:
    """Lava's process, or whose the model is."""
    return f"`{model.lava}`" if model.lava else "none, the model is ours"


def places(model: NeuronModel) -> str:
    """What a neuron takes on each chip."""
    needed = (LOIHI1.per_neuron or {}).get(model.name)
    words = len(model.states)
    loihi1 = (
        "No neuron of Loihi 1."
        if needed is None
        else f"On Loihi 1 a neuron takes {needed} compartment{'' if needed == 1 else 's'}."
    )
    return f"{loihi1} On Loihi 2 it keeps {words} state word{'' if words == 1 else 's'}."


def limits(limit: Limit) -> str:
    """A range as text."""
    return f"{limit.low} .. {limit.high}"


def listing(model: NeuronModel, step: Step) -> list[str]:
    """The operations of a step, in order."""
    lines = [f"{name} = {text(value)}" for name, value in model.derived(LAVA).items()]
    lines = [f"# once\n{lines[0]}", *lines[1:], "# each step"] if lines else []
    lines += [f"{name} = random word of 24 bits" for name in step.draws]
    lines += [f"{name} = {text(value)}" for name, value in step.assignments]
    lines.append(f"fired = {text(step.fired)}")
    if step.payload is not None:
        lines.append(f"send {text(step.payload)} where fired")
    if step.after:
        lines.append("# then, at once in all neurons")
    return [*lines, *(f"{name} = {text(value)}" for name, value in step.after)]


def text(expression: Expression, inside: bool = False) -> str:
    """An expression as a reader would write it."""
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Number):
        return str(expression.value)
    assert isinstance(expression, Call)
    name, operands = expression.row.name, expression.operands
    if name in _BETWEEN:
        written = f" {_BETWEEN[name]} ".join(text(operand, True) for operand in operands)
        return f"({written})" if inside else written
    if name == "negation":
        return f"not {text(operands[0], True)}"
    if name == "select":
        condition, yes, no = (text(operand) for operand in operands)
        return f"({yes} if {condition} else {no})" if inside else f"{yes} if {condition} else {no}"
    return f"{name}({', '.join(text(operand) for operand in operands)})"


def expressions(model: NeuronModel, step: Step) -> list[Expression]:
    """All expressions of a step."""
    return [
        *model.derived(LAVA).values(),
        *(value for _, value in (*step.assignments, *step.after)),
        step.fired,
    ]


def operations(model: NeuronModel, step: Step) -> list[str]:
    """The operations that don't speak for themselves, with formulas."""
    used = frozenset().union(*map(rows_of, expressions(model, step))) - _PLAIN
    if not used:
        return []
    rows = [[f"`{n}`", f"`{ROWS[n].formula}`", ROWS[n].source or "-"] for n in ROWS if n in used]
    return [*table(["operation", "formula", "source"], rows), ""]


def other_profiles(model: NeuronModel) -> list[str]:
    """Where the other arithmetic profiles compute something else."""
    here = dict(model.step(LAVA, frozenset()).assignments)
    lines = []
    for profile in PROFILES.values():
        there = dict(model.step(profile, frozenset()).assignments)
        lines += [
            f"- `{profile.name}`: `{name} = {text(value)}`"
            for name, value in there.items()
            if here.get(name) != value
        ]
    return ["In the other profiles, instead:", "", *lines, ""] if lines else []


def counters(step: Step) -> list[str]:
    """What is counted in a run."""
    if not step.counters:
        return []
    names = ", ".join(f"`{name}` ({text(condition)})" for name, condition in step.counters)
    return [f"Counted: {names}.", ""]


def matched(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Spikes of ``one`` with a partner in ``other`` within one step, each partner used once."""
    count = place = 0
    for step in one:
        while place < len(other) and other[place] < step - 1:
            place += 1
        if place < len(other) and other[place] <= step + 1:
            count, place = count + 1, place + 1
    return count


def agreement(shown: Shown) -> str:
    """Spikes in short."""
    floating, chip = shown.spikes()
    if shown.quantised.network.populations[0].neuron.step(LAVA, frozenset()).draws:
        return f"{len(floating)} and {len(chip)}, drawn"
    return f"{len(floating)} and {len(chip)}, {matched(floating, chip)} matched"


def comparison(shown: Shown) -> str:
    """Spikes and states in a sentence."""
    floating, chip = shown.spikes()
    spikes = f"Spikes: {len(floating)} in floating point, {len(chip)} on the chip"
    if "drawn" in agreement(shown):
        return f"{spikes}; each engine draws its own random numbers."
    same = np.array_equal(floating, chip)
    if same:
        where = ", all in the same steps"
    else:
        where = f", {matched(floating, chip)} within one step of each other"
    errors = []
    for state in shown.demo.shows:
        real, meant = shown.states(state)
        spread = float(real.max() - real.min()) or 1.0
        error = float(np.sqrt(np.mean((real - meant) ** 2))) / spread
        errors.append(f"{error:.1%} for `{state}`")
    return f"{spikes}{where}. Root mean square error of a state over its span: {', '.join(errors)}."


def parameter(row: ParameterRow) -> list[str]:
    """A row of quantisation."""

    def span(low: float, high: float) -> str:
        return f"{low:.5g}" if low == high else f"{low:.5g} .. {high:.5g}"

    unit = f" {row.unit}" if row.unit else ""
    return [
        f"{row.object}: {row.parameter}",
        span(row.value.low, row.value.high) + unit,
        f"`{row.register}`" if row.register else "-",
        f"{row.integer.low:.0f}" if row.integer.single
        else f"{row.integer.low:.0f} .. {row.integer.high:.0f}",
        span(row.meant.low, row.meant.high) + unit,
        "0" if abs(row.error) < 5e-6 else f"{row.error:+.3%}",
    ]  # fmt: skip


def code(lines: Iterable[str], language: str = "text") -> list[str]:
    """Lines as a block of code."""
    return [f"```{language}", *lines, "```"]


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return [line(head), "|" + "---|" * len(head), *map(line, rows)] if rows else []


def main(arguments: list[str]) -> None:
    """Write the pages, and the pictures unless ``--text`` is given."""
    shown = run_all()
    FOLDER.mkdir(exist_ok=True)
    for name, words in pages(shown).items():
        (FOLDER / name).write_text(words, encoding="utf-8")
    if "--text" not in arguments:
        from tools.model_pictures import draw

        (FOLDER / "pictures").mkdir(exist_ok=True)
        for name, both in shown.items():
            draw(both, FOLDER / "pictures" / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
