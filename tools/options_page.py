"""Writes docs/options.md from the options and preferences that the code knows.

Run ``python tools/options_page.py`` after changing them; a test compares the page with the code.
"""

from __future__ import annotations

from pathlib import Path

import brian2lava
from brian2lava.device.preferences import PREFERENCES
from brian2lava.device.standalone import SLOTS
from brian2lava.options import BETA, STANDALONE, Options

PAGE = Path(__file__).parent.parent / "docs" / "options.md"


def page() -> str:
    """The text of docs/options.md."""
    assert brian2lava.lava_device is not None
    options = (Options.__doc__ or "").partition("----------\n")[2]
    return "\n".join(
        [
            "# Options",
            "",
            "<!-- made by tools/options_page.py -->",
            "",
            '## `set_device("lava", ...)`',
            "",
            "An unknown name or value raises an error that names the nearest valid one.",
            "",
            *_options_table(options),
            "",
            "## Arguments of Brian2Lava 1.0 beta",
            "",
            "`hardware`, `mode`, `num_repr` and `use_f2f` are in the table above;"
            " [Moving from Brian2Lava 1.0 beta](moving_from_brian2lava_beta.md) is about scripts"
            " that use them.",
            "",
            *_table("argument", "what the device does", BETA),
            "",
            "## Arguments of Brian2's standalone mode",
            "",
            'A script that was written for `cpp_standalone` runs with `set_device("lava", ...)` in'
            " its place. `run()` executes at once; values are known at any time.",
            "",
            *_table("argument", "what the device does", STANDALONE),
            "",
            "### Running again",
            "",
            "`device.run(run_args=...)` goes back to the state before the first `run()` and does"
            " everything again that has happened since: the calls of `run()`, and what was set in"
            " between. `run_args` is a dictionary (`{G.tau: 5*ms, timed_array: values}`) or a list"
            ' (`["group.tau=0.005"]`). Its values take the place of the old ones before the first'
            " `run()`, or where `device.apply_run_args()` was called: settings after that call are"
            " evaluated again.",
            "",
            "After `seed(x)` each repetition draws the same random numbers, without it others."
            " Initial values that were drawn before the first `run()` stay as they are; in"
            " `cpp_standalone` they are drawn again. Call `device.apply_run_args()` before them to"
            " have that here.",
            "",
            "`device.run(results_directory=...)` writes the values of all arrays into a folder, in"
            " the files that `cpp_standalone` writes; `device.read_results(results_directory)`"
            " brings them back.",
            "",
            "A simulation is recorded without being asked while that takes no more than 16 MB and"
            " 256 runs or settings. `build_on_run=False`, `directory=` (also `None`),"
            " `results_directory=` or `run_args=` in `set_device` lift the limit. What can't be"
            " repeated is refused with its reason: `restore()`, a run that was interrupted, and"
            " settings that may have been computed from values read between two runs.",
            "",
            "## `device.insert_code(slot, code)`",
            "",
            "Refused: there is no program with a `main` function.",
            "",
            *_table("slot", "use instead", SLOTS),
            "",
            "## Preferences",
            "",
            "What is refused raises `NotSupported` when `run()` is called.",
            "",
            *_table(
                "preference", "what the device does", {row.name: row.effect for row in PREFERENCES}
            ),
            "",
            "`codegen.target` chooses between Brian2's own runtime targets and has no effect here:"
            ' `set_device("lava", engine="numpy")` runs NumPy code. `core.default_float_dtype` and'
            " `codegen.loop_invariant_optimisations` mean what they mean in Brian2.",
            "",
        ]
    )


def _table(first: str, second: str, rows: dict[str, str]) -> list[str]:
    return [
        f"| {first} | {second} |",
        "|---|---|",
        *(f"| `{name}` | {text} |" for name, text in rows.items()),
    ]


def _options_table(docstring: str) -> list[str]:
    rows: dict[str, str] = {}
    name = ""
    for line in docstring.splitlines():
        if " : " in line and line.startswith("    ") and not line.startswith("     "):
            name = line.strip().partition(" : ")[0]
            rows[name] = ""
        elif line.strip():
            rows[name] = f"{rows[name]} {line.strip()}".strip().replace("``", "`")
    return _table("option", "meaning", rows)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
