"""What the page Export asks for: every file of a neuron, and whether scripts keep their word."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch
from brian2lava.fit.export import Winner, exports
from brian2lava.fit.export.folder import INPUT
from brian2lava.fit.search import FitResult, Found
from brian2lava.fit.search.result import evaluate
from brian2lava.fit.target.resample import resampled
from brian2lava.studio.fit_page import found_of
from brian2lava.studio.python_code import whole_fit
from brian2lava.studio.setup import Setup

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
#: What the page calls the neuron that is being tuned.
BENCH = "bench"
#: Scripts that print the spikes, and the longest that one may take, in seconds.
SCRIPTS = ("on_loihi2.py", "in_lava.py")
_LONGEST = 300


@dataclass(frozen=True)
class Files:
    """Texts and bytes by name, and what can't be made, with the reason."""

    texts: Mapping[str, str]
    arrays: bytes
    left_out: Mapping[str, str]

    def zipped(self) -> bytes:
        """All of them in one file."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(INPUT, self.arrays)
            for name, text in self.texts.items():
                archive.writestr(name, text)
        return packed.getvalue()


def of_bench(setup: Setup) -> tuple[FitResult, Found]:
    """The neuron on the bench as if a fit had found it."""
    target = resampled(setup.target, setup.dt)
    settings = setup.settings()
    evaluation = evaluate(settings, target, Batch(setup.candidate.model, drive=setup.drive))
    found = Found(
        setup.candidate, setup.frame, settings, setup.meaning(), evaluation, (evaluation,), (),
        ((),), 1, 0.0,
    )  # fmt: skip
    return FitResult(target, (found,)), found


def files(desk: Desk, name: str) -> Files:
    """All exports of the neuron on the bench, or of one that was fitted."""
    if name == BENCH:
        result, found = of_bench(desk.bench.setup)
    else:
        found = found_of(desk, name)
        assert desk.fit.result is not None
        result = desk.fit.result
    winner = Winner(found, result.target)
    texts, left_out = exports(result, winner)
    if name != BENCH:
        texts["again.py"] = whole_fit(desk) + "\n"
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **winner.data())
    return Files(texts, arrays.getvalue(), left_out)


def export(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Names and contents of all files."""
    made = files(desk, given["name"])
    arrays = {name: np.frombuffer(text.encode(), np.uint8) for name, text in made.texts.items()}
    arrays[INPUT] = np.frombuffer(made.arrays, np.uint8)
    arrays["all.zip"] = np.frombuffer(made.zipped(), np.uint8)
    fitted = [] if desk.fit.result is None else [f.candidate.name for f in desk.fit.result.found]
    return {"left_out": made.left_out, "fitted": fitted, "session": _short(desk.session)}, arrays


def _short(path: Path | None) -> str:
    """A path with the user's folder as ~."""
    if path is None:
        return ""
    home = str(Path.home())
    return str(path).replace(home, "~", 1) if str(path).startswith(home) else str(path)


def session_file(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The session as a file."""
    desk.changed()
    desk.save()
    if desk.session is None:
        raise FitError("this session is kept in no file; start the studio with session=.")
    return {"name": desk.session.name}, {"file": np.frombuffer(desk.session.read_bytes(), np.uint8)}


def prove(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Run a script in a process of its own; whether it prints the spikes comes as news."""
    script = given["script"]
    made = files(desk, given["name"])
    if script not in SCRIPTS or script not in made.texts:
        raise FitError(f"there is no script {script!r} of this neuron to run.")
    threading.Thread(target=_prove, args=(desk, script, made), daemon=True).start()
    return {"running": script}, {}


def _prove(desk: Desk, script: str, made: Files) -> None:
    desk.tell({"news": "proof", "script": script, **proof(script, made)})


def proof(script: str, made: Files) -> dict[str, Any]:
    """Whether a script prints the lines of ``spikes.txt``: "same", and "said" in words."""
    wanted = made.texts["spikes.txt"].split("\n")
    with tempfile.TemporaryDirectory(prefix="brian2lava-export-") as folder:
        Path(folder, script).write_text(made.texts[script], encoding="utf-8")
        Path(folder, INPUT).write_bytes(made.arrays)
        try:
            done = subprocess.run(
                [sys.executable, script], cwd=folder, capture_output=True, text=True,
                timeout=_LONGEST, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"same": False, "said": f"It took more than {_LONGEST} s and was stopped."}
    if done.returncode:
        last = (done.stderr.strip() or "no message").split("\n")[-1]
        return {"same": False, "said": f"It failed: {last}"}
    printed = [line for line in done.stdout.split("\n") if line.startswith("sweep ")]
    lines = [line for line in wanted if line]
    if printed == lines:
        count = sum(int(line.split(": ")[1].split()[0]) for line in lines)
        return {"same": True, "said": f"It prints the same {count} spikes, step for step."}
    return {"same": False, "said": "It prints other spikes than the page; please report that."}


OPERATIONS: dict[str, Any] = {"export": export, "prove": prove, "session_file": session_file}
