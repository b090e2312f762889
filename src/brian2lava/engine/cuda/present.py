"""Whether there is a card that can be used, found out without touching it from this process.

Who initialises CUDA can't fork a process that uses it, and Lava's processes are forked.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

#: Set it to run the kernels on a card before they have been compared on one.
TRY = "BRIAN2LAVA_TRY_CARD"
_UNTRIED = (
    "there is a card, but the kernels have been compared with the other engines on the processor"
    f" only, not on a card; with {TRY}=1 in the environment they run there: compare the results"
    " with hardware='CPU'"
)
_LOOK = "import cupy; assert cupy.cuda.runtime.getDeviceCount() > 0, 'there is no card'"
_SECONDS = 60


@functools.cache
def why_no_card() -> str | None:
    """What is missing and how to get it, in one sentence; None where a card can be used."""
    if shutil.which("nvidia-smi") is None:
        return "no NVIDIA card was found (there is no nvidia-smi)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LOOK], capture_output=True, text=True, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"CuPy did not answer ({problem})"
    if done.returncode == 0:
        return None if os.environ.get(TRY) else _UNTRIED
    said = done.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
    if "No module named 'cupy'" in said[0]:
        return "CuPy is not installed: pip install 'brian2lava[gpu]'"
    return f"CuPy can't use the card ({said[0]})"
