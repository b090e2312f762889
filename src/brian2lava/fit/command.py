"""``brian2lava fit``: a fit from the command line, which Ctrl-C stops and --resume continues."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from brian2lava.errors import FitError
from brian2lava.fit.export import Request, export
from brian2lava.fit.many.command import INTERRUPTED, ManyCommand, run_many
from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.fit.search.pareto import pareto
from brian2lava.fit.search.weights import weights_from
from brian2lava.fit.session import Session
from brian2lava.fit.target import Target
from brian2lava.fit.verify import verify

#: Seconds between looks at Ctrl-C, and between savings of a session.
_SLICE, _SAVE = 0.5, 5.0
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Command:
    """What was asked on the command line.

    Attributes
    ----------
    request : Request or None
        None: what the session says.
    output : path or None
        Where exports go; None: a folder that is called after the target.
    session : path or None
    resume : bool
    lava : bool
        Whether the winner is run through Lava's own process.
    """

    request: Request | None
    output: Path | None = None
    session: Path | None = None
    resume: bool = False
    lava: bool = True


def seconds(text: str) -> float:
    """A duration: a number of seconds, or with a unit ("0.5ms").

    Raises
    ------
    FitError
        It is none.
    """
    found = re.fullmatch(r"\s*([0-9.eE+-]+?)\s*(|s|ms|us)\s*", text)
    try:
        if found is None:
            raise ValueError
        return float(found[1]) * _SECONDS[found[2]]
    except ValueError:
        raise FitError(
            f"{text!r} is no duration; write seconds, or a number and s, ms or us: 0.0005, 0.5ms."
        ) from None


def run(command: Command, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Fit, print the ranking, write the exports; returns the exit code.

    Raises
    ------
    FitError
        Something is missing or can't be read, or a fit that differs from what it is verified by.
    """
    out, err = out or sys.stdout, err or sys.stderr
    session, request, target, fitting = _begun(command)
    with stopping() as stop:
        while not fitting.done and not stop.is_set():
            fitting.advance(_SLICE)
            _show(fitting, err)
            if session is not None:
                session.keep(fitting, target)
                session.autosave(_SAVE)
    if err.isatty():
        print(file=err)
    if session is not None:
        session.save()
    stopped = not fitting.done
    if all(trial.best is None for trial in fitting.trials):
        print("Stopped before anything was found.", file=err)
        return INTERRUPTED
    result = fitting.result()
    print(result, file=out)
    verified = verify(result.best, result.target, fitting.options.profile(), command.lava)
    print(f"{result.best.candidate.name}: {verified}.", file=out)
    folder = command.output or Path(f"fit_{_slug(result.target.name)}")
    made = export(
        result, folder, None, fitting.options.profile(), request, f"{verified}"
    )  # fmt: skip
    print(f"Written to {made.folder}: {', '.join(made.files)}.", file=out)
    for name, why in made.left_out.items():
        print(f"Left out {name}: {why}", file=out)
    if stopped:
        print(f"Stopped at {fitting.progress.done:.0%}.{_how_to_go_on(command)}", file=err)
    return INTERRUPTED if stopped else 0


def _begun(command: Command) -> tuple[Session | None, Request | None, Target, Fitting]:
    """The session, what was asked, the target, and the fit: new, or as it was left."""
    if command.resume:
        return _resumed(command)
    if command.request is None:
        raise FitError("name a model or the file of a recording, or go on with --resume.")
    request = command.request
    target = request.target()
    fitting = Fitting(target, request.candidates, request.options)
    if command.session is None:
        return None, request, target, fitting
    if command.session.exists():
        raise FitError(
            f"{command.session} exists. --resume goes on with it; or give another --session."
        )
    session = Session(target, command.session)
    session.set_options(**vars(request.options))
    session.set_candidates(request.candidates)
    session.edit("what was asked", request={"source": request.source, "pattern": request.pattern})
    session.keep(fitting, target)
    session.save()
    return session, request, target, fitting


def _resumed(command: Command) -> tuple[Session, Request | None, Target, Fitting]:
    if command.session is None:
        raise FitError("--resume goes on with a session; say which by --session FILE.")
    if command.request is not None:
        raise FitError(
            "--resume goes on with what the session was asked for; leave the target and its options"
            " out."
        )
    session = Session.load(command.session)
    fitting = session.resumed()
    kept = session.fits["fit"]
    asked = session.document.get("request")
    request = None
    if isinstance(asked, dict):
        pattern = asked.get("pattern")
        request = Request(
            str(asked.get("source")),
            None if pattern is None else str(pattern),
            kept.candidates,
            kept.options,
        )
    return session, request, kept.target, fitting


def _how_to_go_on(command: Command) -> str:
    if command.session is None:
        return " With --session FILE a fit can go on later."
    return f" Go on: brian2lava fit --session {command.session} --resume"


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; a second one interrupts as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def asked(*_: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, asked)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _show(fitting: Fitting, err: TextIO) -> None:
    """A line that is written over, where somebody looks on."""
    if err.isatty():
        progress = fitting.progress
        best = min(trial.best_loss for trial in fitting.trials)
        told = f"{progress.done:4.0%}  best loss {best:.3f}  about {progress.left:.0f} s left"
        print(f"\r{told:<60}", end="", flush=True, file=err)


def _slug(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_") or "target"


def only(targets: Sequence[str]) -> str:
    """The one target of a fit.

    Raises
    ------
    FitError
        There are several.
    """
    if len(targets) > 1:
        raise FitError(
            f"{len(targets)} targets are named ({targets[0]}, {targets[1]}, ...), and one is"
            " fitted at a time; --many DIR fits all of them and keeps them in DIR."
        )
    return targets[0]


def refuse_without_target(given: Iterable[str]) -> None:
    """Options of a fit, where no target is named: what goes on has its own.

    Raises
    ------
    FitError
        There is one.
    """
    for name in given:
        raise FitError(
            f"--{name} is for a new fit: name its target. --resume goes on with what the session"
            " was asked for."
        )


def many(words: Mapping[str, Any], names: tuple[str, ...] | None, options: FitOptions) -> int:
    """Many fits, from the command line's words; returns the exit code.

    Raises
    ------
    FitError
        A word that has no meaning for many fits, or what :func:`run_many` raises.
    """
    for word in ("output", "session", "no_lava"):
        if word in words:
            raise FitError(
                f"--{word.replace('_', '-')} is for a fit of one target; with --many leave it out."
            )
    resume = "resume" in words
    if resume and (names is not None or options != FitOptions() or "pattern" in words):
        raise FitError(
            f"--resume goes on with what was asked for in {words['many']}; leave options out."
        )
    asked = ManyCommand(
        words["many"], tuple(words.get("targets", ())), words.get("pattern"), names, options, resume
    )
    with stopping() as stop:
        return run_many(asked, stop.is_set)


def fronts(words: Mapping[str, Any], request: Request | None, out: TextIO | None = None) -> int:
    """A front of every candidate between the objectives of the word "pareto", from the command
    line's words; returns the exit code.

    Each is printed as a table. With the word "output" its knee is exported there, in a folder a
    candidate, with the front as ``front.svg``.

    Raises
    ------
    FitError
        A word that has no meaning for fronts, or what :func:`brian2lava.fit.pareto` raises.
    """
    for word in ("session", "resume", "many", "no_lava"):
        if word in words:
            raise FitError(f"--{word.replace('_', '-')} does not go with --pareto; leave it out.")
    if request is None:
        raise FitError("--pareto: name a model or the file of a recording.")
    names, target = [name.strip() for name in words["pareto"].split(",")], request.target()
    profile = request.options.profile()
    candidates = Fitting(target, request.candidates, request.options).candidates
    with stopping() as stop:
        for name in (each.name for each in candidates):
            front = pareto(target, name, names, options=request.options, stop=stop.is_set)
            print(front, file=out or sys.stdout)
            if "output" in words:
                made = export(front.result(), Path(words["output"]) / name, None, profile)
                (made.folder / "front.svg").write_text(front.figure(), encoding="utf-8")
                print(f"The knee is written to {made.folder}.", file=out or sys.stdout)
            if stop.is_set():
                return INTERRUPTED
    return 0


def options_of(given: dict[str, Any]) -> FitOptions:
    """Options from the command line's words; times are texts."""
    for name in ("dt", "window"):
        if name in given:
            given[name] = seconds(given[name])
    if "weights" in given:
        given["weights"] = weights_from(given["weights"])
    return FitOptions(**given)
