"""The command ``brian2lava``: run, export, doctor, demo, fit, studio."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code.

    Parameters
    ----------
    arguments
        What follows ``brian2lava`` on the command line; by default that of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, for_script = split_at_script(words)
    parser = _parser()
    given = parser.parse_args(words)
    given.for_script = for_script
    command: int = given.command(given, parser)
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="brian2lava", description="Runs Brian2 models in compiled code inside Lava processes."
    )
    parser.add_argument(
        "--version", action="version", version=f"brian2lava {version('brian2lava')}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_export(commands)
    _add_doctor(commands)
    _add_demo(commands)
    _add_fit(commands)
    _add_studio(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run a Brian2 script that need not mention Lava",
        usage="brian2lava run [OPTION ...] SCRIPT [OPTION ...] [--] [ARGUMENT ...]",
        description="Runs SCRIPT as python would, with the Lava device chosen beforehand.",
        epilog="Options stand before SCRIPT or directly behind it; the rest is the script's,"
        " and so is all that follows --.",
        parents=[_run_options()],
    )
    run.add_argument("script", metavar="SCRIPT", help="a Python file, or - for standard input")
    run.set_defaults(command=_run)


def _device_options() -> argparse.ArgumentParser:
    """Options that become those of ``set_device("lava", ...)``; without a value they stay away."""
    options = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    options.add_argument("--hardware", help="where it runs (default: CPU)")
    options.add_argument("--host", help="lava, or inline: without Lava (default: lava)")
    options.add_argument("--threads", type=int, help="threads of the engine (default: 1)")
    options.add_argument("--seed", type=int, help="seed of the random numbers")
    return options


def _run_options() -> argparse.ArgumentParser:
    options = _device_options()
    options.add_argument(
        "--report", action="store_true", help="say on standard error where and how it ran"
    )
    return options


def split_at_script(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separates the words of ``brian2lava run`` and ``export`` that are ours from the script's.

    Returns
    -------
    ours
        Up to the script's name and our options directly behind it; all words of other commands.
    script's
        What follows, without a first ``--``.
    """
    words = list(words)
    if not words or words[0] not in _WITH_SCRIPT:
        return words, []
    options, names = _WITH_SCRIPT[words[0]]
    known = {name: action for action in options()._actions for name in action.option_strings}
    place = 1
    for _ in range(names):
        place = _behind_options(words, place, known)
        if place == len(words) or (words[place].startswith("-") and words[place] != "-"):
            return words, []
        place += 1
    end = _behind_options(words, place, known)
    rest = words[end:]
    return words[:end], rest[1:] if rest[:1] == ["--"] else rest


def _behind_options(words: Sequence[str], place: int, known: Mapping[str, Any]) -> int:
    """The first place, from ``place`` on, that holds neither an option of ours nor its value."""
    while place < len(words):
        name, equals, _ = words[place].partition("=")
        if name not in known:
            break
        has_value_behind = known[name].nargs != 0 and not equals
        place += 2 if has_value_behind else 1
    return min(place, len(words))


def _run(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    options = _chosen(given)
    from brian2lava.errors import BrianLavaError
    from brian2lava.run_script import choose_lava, print_report, read_script, run_script

    try:
        source = read_script(given.script)
        choose_lava(options)
    except OSError as error:
        parser.exit(2, f"brian2lava run: can't open file '{given.script}': {error.strerror}\n")
    except BrianLavaError as error:
        parser.exit(2, f"brian2lava run: {error}\n")
    run_script(given.script, source, given.for_script, options)
    if hasattr(given, "report"):
        print_report()
    return 0


def _chosen(given: argparse.Namespace) -> dict[str, Any]:
    """What ``set_device("lava", ...)`` gets."""
    names = {action.dest for action in _device_options()._actions}
    return {name: value for name, value in vars(given).items() if name in names}


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="write what a script runs as plain Lava processes, or as a NIR graph",
        usage="brian2lava export --to FORMAT [OPTION ...] WHERE SCRIPT [OPTION ...] [--]"
        " [ARGUMENT ...]",
        description="Runs SCRIPT and writes its last run on a chip into the folder WHERE, which"
        " runs with lava-nc alone (--to lava); or writes the network of its first run, before that"
        " begins, into the file WHERE (--to nir).",
        parents=[_export_options()],
    )
    export.add_argument("where", metavar="WHERE", type=Path, help="a folder, or a file")
    export.add_argument("script", metavar="SCRIPT", help="a Python file, or - for standard input")
    export.set_defaults(command=_export)


def _export_options() -> argparse.ArgumentParser:
    options = _device_options()
    options.add_argument("--to", choices=("lava", "nir"), required=True, help="what is written")
    options.add_argument(
        "--force", action="store_true", help="also where something is there already"
    )
    return options


#: Commands with a script: their options, and how many names come first, the script's the last.
_WITH_SCRIPT: dict[str, tuple[Callable[[], argparse.ArgumentParser], int]] = {
    "run": (_run_options, 1),
    "export": (_export_options, 2),
}


def _export(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from brian2lava.errors import BrianLavaError
    from brian2lava.interop.export.command import Command, run

    try:
        told = run(
            Command(
                given.to, given.where, given.script, given.for_script, _chosen(given),
                hasattr(given, "force"),
            )
        )  # fmt: skip
    except OSError as error:
        parser.exit(2, f"brian2lava export: '{error.filename}': {error.strerror}\n")
    except BrianLavaError as error:
        parser.exit(2, f"brian2lava export: {error}\n")
    print(told)
    return 0


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor", help="say what is found on this machine, and what to do about what is missing"
    )
    doctor.set_defaults(command=_doctor)


def _doctor(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from brian2lava.doctor import examine, show

    findings = examine()
    print(show(findings))
    return 0 if all(finding.good_enough for finding in findings) else 1


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="run a network of 4,000 neurons on Lava and beside it on Brian2's own runtime",
        description="CUBA: the network of Vogels and Abbott (2005) as in Brette et al. (2007).",
        parents=[_device_options()],
    )
    demo.add_argument("--seconds", type=float, default=1.0, help="biological time (default: 1)")
    demo.add_argument(
        "--picture",
        type=Path,
        default=Path("demo.png"),
        help="where the picture goes (default: demo.png)",
    )
    demo.set_defaults(command=_demo)


def _demo(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    try:
        from brian2lava.demo import demonstrate
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        parser.exit(1, "brian2lava demo draws with matplotlib: pip install 'brian2lava[demo]'\n")

    demonstrate(given.seconds, given.picture, _chosen(given))
    return 0


#: Options of ``brian2lava fit`` that become fields of ``FitOptions``; times are texts with units.
_FIT_OPTIONS = (
    ("evaluations", int, "register sets that are tried, a candidate and seed (default: 12000)"),
    ("seeds", int, "searches of each candidate; their spread is shown (default: 3)"),
    ("dt", str, "the chip's time step, for example 0.5ms (default: the target's)"),
    ("window", str, "how far matched spikes may be apart (default: 2ms)"),
    ("drive", str, "how the stimulus enters: graded spikes, or bias (default: graded)"),
    ("arithmetic", str, "lava, or loihi1 (default: lava)"),
    ("optimiser", str, "auto, cma or differential_evolution (default: auto)"),
    ("workers", int, "threads; results do not depend on them (default: 2)"),
    ("weights", str, "what the search makes small, for example gamma_2ms=1,voltage=0.5"),
)


def _add_fit(commands: Any) -> None:
    fit = commands.add_parser(
        "fit",
        help="find the registers with which chip neurons behave as a model or a recording",
        description="Fits chip neurons to TARGET, prints their ranking, and writes scripts, a model"
        " entry, a report and figures of the best one. Ctrl-C stops, and keeps what was found. With"
        " --many, fits them to every TARGET, and writes a table.",
        argument_default=argparse.SUPPRESS,
    )
    fit.add_argument(
        "targets", nargs="*", metavar="TARGET",
        help="a model (AdEx, ...), or a recording's file; with --many several, or folders",
    )  # fmt: skip
    fit.add_argument(
        "--many", type=Path, metavar="DIR", help="fit all TARGETs, keep all in DIR, print a table"
    )
    fit.add_argument(
        "--pattern", help="one of a model's firing patterns; with --many also all: a row each"
    )
    fit.add_argument("--candidates", help="names with commas between (default: all)")
    for name, kind, text in _FIT_OPTIONS:
        fit.add_argument(f"--{name}", type=kind, help=text)
    fit.add_argument(
        "--pareto", metavar="NAMES", help="print the front between scores, for example f1,voltage"
    )
    fit.add_argument("--output", type=Path, metavar="DIR", help="where the exports go")
    fit.add_argument("--session", type=Path, metavar="FILE", help="where the fit is kept")
    fit.add_argument(
        "--resume", action="store_true", help="go on with the fit in --session, or those in --many"
    )
    fit.add_argument(
        "--no-lava", action="store_true", help="do not run the winner through Lava's own process"
    )
    fit.set_defaults(command=_fit)


_OPTION_NAMES = tuple(name for name, *_ in _FIT_OPTIONS)


def _fit(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from brian2lava.errors import BrianLavaError
    from brian2lava.fit.command import (
        Command,
        fronts,
        many,
        only,
        options_of,
        refuse_without_target,
        run,
    )
    from brian2lava.fit.export import Request

    words = vars(given)
    try:
        request = None
        options = options_of({name: words[name] for name in _OPTION_NAMES if name in words})
        candidates = words.get("candidates")
        names = None if candidates is None else tuple(candidates.split(","))
        if "many" in words and "pareto" not in words:
            return many(words, names, options)
        if "targets" in words:
            request = Request(only(words["targets"]), words.get("pattern"), names, options)
        else:
            refuse_without_target(
                name for name in ("pattern", "candidates", *_OPTION_NAMES) if name in words
            )
        if "pareto" in words:
            return fronts(words, request)
        return run(
            Command(
                request,
                words.get("output"),
                words.get("session"),
                "resume" in words,
                "no_lava" not in words,
            )
        )
    except BrianLavaError as error:
        parser.exit(2, f"brian2lava fit: {error}\n")


def _add_studio(commands: Any) -> None:
    studio = commands.add_parser(
        "studio",
        help="open the page on which chip neurons are fitted and tuned",
        description="Serves a page on this machine, at an address with a token, until Ctrl-C.",
    )
    studio.add_argument("--port", type=int, default=0, help="default: any that is free")
    studio.add_argument(
        "--host", default="127.0.0.1", help="what to listen on (default: this machine only)"
    )
    studio.add_argument(
        "--no-browser", action="store_true", help="print the address, and open nothing"
    )
    studio.add_argument(
        "--session", type=Path, help="the file in which all is kept (default: in the cache folder)"
    )
    studio.set_defaults(command=_studio)


def _studio(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from brian2lava.errors import BrianLavaError
    from brian2lava.studio import serve

    try:
        serve(port=given.port, host=given.host, browser=not given.no_browser, session=given.session)
    except BrianLavaError as error:
        parser.exit(2, f"brian2lava studio: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
