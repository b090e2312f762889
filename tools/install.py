"""Makes the project's virtual environment and installs the project with its development tools.

Run by tools/setup.sh, with a Python that is known to start; uses the standard library only. What
was installed is written down in the environment as a fingerprint, so that a second call with
nothing changed costs milliseconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAVA = "lava-nc==0.10.0"
RECORD = "brian2lava-setup.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    parser.add_argument(
        "--exactly-this-python",
        action="store_true",
        help="remake an environment that has another Python version than the one running this",
    )
    arguments = parser.parse_args()
    folder = (ROOT / arguments.venv).resolve()
    try:
        prepare(folder, arguments.exactly_this_python)
    except (SetupError, subprocess.CalledProcessError) as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def prepare(folder: Path, exactly_this_python: bool) -> None:
    """Makes or updates the environment in ``folder``."""
    version = python_version(folder)
    wanted = sys.version_info[:2]
    if version is None or (exactly_this_python and version != wanted) or not in_range(version):
        make_environment(folder)
        version = wanted
    if read_record(folder).get("fingerprint") == fingerprint(version):
        return
    install(folder, version)
    write_record(folder, {"fingerprint": fingerprint(version)})


def in_range(version: tuple[int, int]) -> bool:
    return (3, 10) <= version <= (3, 13)


def python_version(folder: Path) -> tuple[int, int] | None:
    """The version of the environment's Python, or None where it does not start."""
    command = [str(folder / "bin" / "python"), "-Ic", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = answer.stdout.split()
    return int(major), int(minor)


def make_environment(folder: Path) -> None:
    """An empty environment in ``folder``, in place of one that this script made before.

    Raises SetupError where the folder holds something that this script did not make.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise SetupError(
            f"{folder} exists, was not made by this project, and holds no Python from 3.10 to 3.13 "
            "as asked for. Move it away, or choose another folder with VENV=..."
        )
    print(f"making {folder} with Python {sys.version.split()[0]}", flush=True)
    venv.create(folder, clear=folder.exists(), with_pip=True, symlinks=True)
    write_record(folder, {})


def install(folder: Path, version: tuple[int, int]) -> None:
    """Installs the project, editable, with its development tools, and Lava."""
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    print("installing brian2lava and what it needs; the first time takes a few minutes", flush=True)
    quiet = ["install", "--quiet"]
    subprocess.run([*pip, *quiet, "--upgrade", "pip"], check=True)
    subprocess.run([*pip, *quiet, "--editable", f"{ROOT}[dev]"], check=True)
    if version > (3, 10):
        past_its_limit = ["--no-deps", "--ignore-requires-python", LAVA]
        subprocess.run([*pip, *quiet, *past_its_limit], check=True)


def fingerprint(version: tuple[int, int]) -> str:
    """Changes when the environment has to be installed anew."""
    text = hashlib.sha256(repr(version).encode())
    for path in (ROOT / "pyproject.toml", Path(__file__)):
        text.update(path.read_bytes())
    text.update(str(ROOT).encode())
    return text.hexdigest()


def read_record(folder: Path) -> dict[str, str]:
    try:
        record: dict[str, str] = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record


def write_record(folder: Path, record: dict[str, str]) -> None:
    (folder / RECORD).write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    sys.exit(main())
