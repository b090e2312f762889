"""The rules of docs/architecture.md: who may import what, and what importing may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "brian2lava"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Who may import a third party's package: paths of modules or folders inside the package.
MAY_IMPORT = {
    "brian2": (
        "device", "capture", "chip/recognise", "loihi", "interop", "fit/target/brian2_code",
        # the front doors, which stand where a user's script stands
        "run_script", "demo", "preset_mode",
    ),
    "lava": ("processes", "interop"),
    "cupy": ("engine/cuda",),
    "nir": ("interop/nir",),
    "starlette": ("studio",),
    "uvicorn": ("studio",),
}  # fmt: skip

#: What a stage may know of the others, besides itself, `errors` and `cache`.
MAY_KNOW = {
    "program": (),
    "engine": ("program", "processes"),
    "capture": ("program",),
    "processes": ("engine", "program"),
    "fit": ("chip", "engine", "interop", "program"),
    "studio": ("chip", "engine", "fit"),
}

#: Who may know a stage that stands at the end of the road.
MAY_BE_KNOWN_BY = {"fit": ("fit", "studio", "cli")}


def place(module: Path) -> str:
    """The path inside the package without the ending: "engine/cpu/render"."""
    return module.relative_to(PACKAGE).with_suffix("").as_posix()


def imported(module: Path) -> set[str]:
    """Full names of all that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(module)}: imports are written in full"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def lies_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_third_parties_are_imported_only_where_they_may_be(module: Path) -> None:
    packages = {name.split(".")[0] for name in imported(module)}
    for package in packages & MAY_IMPORT.keys():
        allowed = MAY_IMPORT[package]
        assert lies_in(place(module), allowed), f"only {', '.join(allowed)} may import {package}"


@pytest.mark.parametrize("stage", MAY_KNOW)
def test_a_stage_knows_only_what_it_takes_and_makes(stage: str) -> None:
    allowed = {stage, "errors", "cache", *MAY_KNOW[stage]}
    for module in MODULES:
        if not lies_in(place(module), (stage,)):
            continue
        ours = {name.split(".")[1] for name in imported(module) if name.startswith("brian2lava.")}
        assert ours <= allowed, f"{place(module)} imports {', '.join(sorted(ours - allowed))}"


@pytest.mark.parametrize("stage", MAY_BE_KNOWN_BY)
def test_only_front_doors_know_the_last_stages(stage: str) -> None:
    for module in MODULES:
        if lies_in(place(module), MAY_BE_KNOWN_BY[stage]):
            continue
        names = {tuple(name.split(".")[:2]) for name in imported(module)}
        assert ("brian2lava", stage) not in names, f"{place(module)} imports {stage}"


#: What stands where Brian2 may be imported, and is free of it all the same: values that other
#: stages take, and the arithmetic that makes them.
FREE_OF_BRIAN2 = tuple(
    f"chip/recognise/{name}" for name in ("step_map", "polynomial", "expression", "refusal")
)


@pytest.mark.parametrize("name", FREE_OF_BRIAN2)
def test_maps_of_a_step_are_free_of_brian2(name: str) -> None:
    (module,) = (module for module in MODULES if place(module) == name)
    assert not {found for found in imported(module) if found.split(".")[0] == "brian2"}


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    names = {part for module in MODULES for part in place(module).split("/")}
    assert not names & {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "misc",
        "handler",
        "manager",
    }


IMPORT_AND_LOOK = """
import os, sys, threading
import brian2
before = (dict(brian2.prefs), os.getcwd(), sorted(os.listdir()), threading.active_count())
import brian2lava
after = (dict(brian2.prefs), os.getcwd(), sorted(os.listdir()), threading.active_count())
assert before == after, (before, after)
devices = sys.modules["brian2.devices.device"]
assert devices.get_device() is devices.runtime_device
assert "lava" in devices.all_devices
loaded = {"lava", "cupy"} & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
import multiprocessing
assert multiprocessing.get_start_method(allow_none=True) is None
"""


def test_importing_registers_the_device_and_does_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_LOOK], cwd=tmp_path, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
