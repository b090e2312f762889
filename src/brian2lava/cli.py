"""The command ``brian2lava``: run, doctor, demo."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="brian2lava")
    parser.parse_args(arguments)
    return 0
