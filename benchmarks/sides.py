"""The two sides of a case, each in fresh processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .plan import Plan
from .process import call, execute

_SIMULATE = "benchmarks.simulate"
_OUR_CACHE = "ours"

Answer = dict[str, Any]


def ours(plan: Plan, script: str, size: int, *, cache: str = _OUR_CACHE, **options: Any) -> Answer:
    """One run of `script` on the lava device; see `simulate.ours` for the answer."""
    options.setdefault("shorter", plan.shorter)
    return call(_SIMULATE, "ours", cache=plan.cache(cache), script=script, size=size, **options)


def our_second_run(plan: Plan, size: int) -> Answer:
    """See `simulate.second_run`."""
    return call(
        _SIMULATE, "second_run", cache=plan.cache(_OUR_CACHE), size=size, shorter=plan.shorter
    )


@contextmanager
def standalone(plan: Plan, script: str, size: int, **options: Any) -> Iterator[tuple[Path, Answer]]:
    """Build and run `script` in `cpp_standalone`; yields its project and `simulate.theirs`.

    The project, which `run_again` can run without another build, is deleted at the end.
    """
    options.setdefault("shorter", plan.shorter)
    project = plan.folder / f"{script}_{size}"
    try:
        yield (
            project,
            call(
                _SIMULATE,
                "theirs",
                cache=plan.cache("theirs"),
                script=script,
                size=size,
                project=str(project),
                **options,
            ),
        )
    finally:
        shutil.rmtree(project, ignore_errors=True)


def run_again(project: Path) -> Answer:
    """Run a built project: wall time (s) and peak memory (bytes) of the program, and `loop` (s)."""
    usage = execute(["./main", "--results_dir", f"{project}/results/"], folder=project)
    seconds = float((project / "results" / "loop_seconds").read_text())
    return {**usage, "loop": seconds}
