"""The exact integrator's results, kept on disk.

SymPy's matrix exponential takes seconds where the rest of a run takes a tenth of one, and its
result is a text that depends on the equations alone. The text is Brian2's own; only computing it
again is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brian2
import sympy
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.equations.equations import Equations
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.stateupdaters.exact import LinearStateUpdater

from brian2lava.cache import cache_folder


@contextmanager
def remembered_integrators() -> Iterator[None]:
    """Inside, ``exact`` (also called ``linear``) looks on disk before it asks SymPy."""
    original = LinearStateUpdater.__call__

    def remembering(
        self: LinearStateUpdater,
        equations: Equations,
        variables: Any = None,
        method_options: Any = None,
    ) -> str:
        place = _place(equations, variables, method_options)
        known = _read(place)
        if known is None:
            known = _compute(lambda: original(self, equations, variables, method_options))
            _write(place, known)
        if "refused" in known:
            raise UnsupportedEquationsException(known["refused"])
        return known["code"]

    LinearStateUpdater.__call__ = remembering
    try:
        yield
    finally:
        LinearStateUpdater.__call__ = original


def _compute(integrate: Any) -> dict[str, str]:
    try:
        return {"code": integrate()}
    except UnsupportedEquationsException as refusal:
        return {"refused": str(refusal)}


def _place(equations: Equations, variables: Any, method_options: Any) -> Path | None:
    """The file of this question; ``None`` where the answer may depend on more than can be told."""
    described = _describe(variables or {})
    if described is None:
        return None
    question = [
        [brian2.__version__, sympy.__version__],
        [
            [eq.varname, eq.type, str(eq.expr), sorted(eq.flags), str(eq.var_type)]
            for eq in sorted(equations.values(), key=lambda eq: eq.varname)
        ],
        described,
        sorted((method_options or {}).items()),
    ]
    key = hashlib.sha256(json.dumps(question, default=str).encode()).hexdigest()[:40]
    return cache_folder() / "integrators" / f"{key}.json"


def _describe(variables: dict[str, Any]) -> list[Any] | None:
    described: list[Any] = []
    for name, variable in sorted(variables.items()):
        if isinstance(variable, Function):
            if DEFAULT_FUNCTIONS.get(name) is not variable:
                return None
            described.append(name)
            continue
        described.append(
            [
                name,
                type(variable).__name__,
                str(variable.dtype),
                bool(variable.scalar),
                bool(variable.constant),
                bool(variable.read_only),
                str(getattr(variable, "expr", "")),
            ]
        )
    return described


def _read(place: Path | None) -> dict[str, str] | None:
    if place is None:
        return None
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if isinstance(known, dict) and any(isinstance(known.get(k), str) for k in ("code", "refused")):
        return known
    return None


def _write(place: Path | None, known: dict[str, str]) -> None:
    """Put the answer in place by renaming; without a place to write, it is not kept."""
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(name, place)
    except OSError:
        return
