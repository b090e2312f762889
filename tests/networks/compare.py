"""Says where two runs of one network differ; makes tests of functions that build and run one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from brian2.core.variables import ArrayVariable
from brian2.groups.group import VariableOwner
from numpy.typing import NDArray

from tests.networks.devices import Engine, reference, under

#: Relative difference that two values of a state variable may have.
RELATIVE = 1e-9
#: Difference beside it, as a part of the largest magnitude in the array: a value that is left over
#: where large terms cancel has no digits of its own.
OF_LARGEST = 1e-11

Results = dict[str, NDArray[Any]]


def snapshot(value: Any, name: str = "") -> Results:
    """Every number in ``value`` by name: Brian2 objects, arrays, scalars, collections of them."""
    if isinstance(value, VariableOwner):
        return {f"{name}.{key}": array for key, array in _variables(value).items()}
    if isinstance(value, Mapping):
        parts = [snapshot(part, f"{name}.{key}") for key, part in value.items()]
    elif isinstance(value, tuple | list):
        parts = [snapshot(part, f"{name}[{key}]") for key, part in enumerate(value)]
    else:
        return {name: np.array(value)}
    return {key: array for part in parts for key, array in part.items()}


def _variables(owner: VariableOwner) -> Results:
    """The arrays that belong to ``owner``, and its delays, without internal ones (``_name``)."""
    found = {}
    for name, variable in owner.variables.items():
        if name.startswith("_") or not isinstance(variable, ArrayVariable):
            continue
        if variable.owner is not None and variable.owner.name == owner.name:
            found[name] = np.array(variable.get_value())
    for pathway in getattr(owner, "_pathways", ()):
        found[f"{pathway.objname}.delay"] = np.array(pathway.variables["delay"].get_value())
    return found


def difference(
    ours: Mapping[str, NDArray[Any]],
    theirs: Mapping[str, NDArray[Any]],
    relative: float = RELATIVE,
    of_largest: float = OF_LARGEST,
    of_largest_in: Mapping[str, float] | None = None,
) -> str | None:
    """The first thing that differs, in words, or None. Integers and booleans must be equal.

    ``of_largest_in`` names variables with an ``of_largest`` of their own.
    """
    if set(ours) != set(theirs):
        return f"names: {sorted(set(ours) ^ set(theirs))} are on one side only"
    for name, expected in theirs.items():
        floor = (of_largest_in or {}).get(name.rsplit(".", 1)[-1], of_largest)
        said = _array_difference(ours[name], expected, relative, floor)
        if said is not None:
            return f"{name.lstrip('.')}: {said}"
    return None


def _array_difference(
    ours: NDArray[Any], theirs: NDArray[Any], relative: float, of_largest: float
) -> str | None:
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, expected {theirs.shape}"
    if ours.dtype != theirs.dtype:
        return f"dtype {ours.dtype}, expected {theirs.dtype}"
    if theirs.size == 0:
        return None
    if theirs.dtype.kind != "f":
        wrong = ours != theirs
    else:
        finite = np.abs(theirs[np.isfinite(theirs)])
        floor = of_largest * (finite.max() if finite.size else 0.0)
        wrong = ~np.isclose(ours, theirs, rtol=relative, atol=floor, equal_nan=True)
    if not np.any(wrong):
        return None
    first = tuple(int(index) for index in np.argwhere(np.atleast_1d(wrong))[0])
    got, expected = np.atleast_1d(ours)[first], np.atleast_1d(theirs)[first]
    count = f"{int(np.sum(wrong))} of {theirs.size} differ"
    return f"{count}, first at {first}: {got!r}, expected {expected!r}"


def assert_same(ours: Results, theirs: Results, **tolerance: Any) -> None:
    """Fail with the first difference between two snapshots."""
    said = difference(ours, theirs, **tolerance)
    assert said is None, said


@cache
def _expected(build: Callable[[], Any]) -> tuple[Results, frozenset[str]]:
    with reference() as session:
        results = snapshot(build())
    return results, frozenset(session.warnings)


def same_as_runtime(
    build: Callable[[], Any] | None = None,
    *,
    extra_warnings: tuple[str, ...] = (),
    **tolerance: Any,
) -> Any:
    """Make a test of ``build``, which sets up and runs a network and returns what to compare.

    Its body is plain Brian2. It runs once in Brian2's runtime mode and once under each engine;
    what it returns must agree (see :func:`difference`), and ours may log no warning that Brian2
    doesn't log, except ``extra_warnings``.
    """
    if build is None:
        return lambda function: same_as_runtime(
            function, extra_warnings=extra_warnings, **tolerance
        )

    def test(engine: Engine) -> None:
        expected, warnings = _expected(build)
        with under(engine) as session:
            results = snapshot(build())
        assert_same(results, expected, **tolerance)
        assert session.warnings <= warnings | set(extra_warnings)

    test.__name__ = test.__qualname__ = build.__name__
    test.__doc__ = build.__doc__
    test.__module__ = build.__module__
    return test
