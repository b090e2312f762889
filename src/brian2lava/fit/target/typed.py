"""Equations that somebody typed: what may stand in them, checked before Brian2 sees a character.

Brian2 evaluates the text of units, and SymPy works constants out, so that ``9**9**9`` never ends.
Here texts are taken apart by a grammar of their own; nothing of them is evaluated. What is let
through is arithmetic, comparisons and the functions below, units of a fixed table, and names.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.target.equations import Value

#: Characters of the equations, of any other text, and of a number or a unit.
MOST_EQUATIONS, MOST_TEXT, MOST_NUMBER = 4000, 500, 40
#: Equations, parameters, parentheses in each other, and the largest constant exponent.
MOST_ROWS, MOST_PARAMETERS, DEEPEST, LARGEST_POWER = 40, 100, 25, 32

#: Functions of Brian2 that draw nothing at random.
FUNCTIONS = frozenset({
    "abs", "arccos", "arcsin", "arctan", "ceil", "clip", "cos", "cosh", "exp", "expm1", "exprel",
    "floor", "int", "log", "log10", "log1p", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
})  # fmt: skip
_CONSTANTS = frozenset({"pi", "e", "inf", "True", "False"})
_GIVEN = frozenset({"t", "dt", "not_refractory", "lastspike"})
_PREFIX = {"G": 1e9, "M": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
#: Short names of units with their prefixes, as Brian2 has them.
_SHORT = {
    "volt": "mV", "amp": "mA uA nA pA", "siemens": "uS nS", "ohm": "kohm Mohm Gohm",
    "farad": "uF nF pF", "second": "ms us", "hertz": "Hz kHz MHz", "metre": "cm mm um",
    "kelvin": "", "mole": "", "kilogram": "", "coulomb": "", "joule": "", "watt": "",
}  # fmt: skip


def _factor(base: str, short: str) -> float:
    if short == "cm":
        return 1e-2
    return 1.0 if short == "Hz" else _PREFIX[short[0]]


#: Name -> (factor, name of the base unit).
UNITS: Mapping[str, tuple[float, str]] = {
    "meter": (1.0, "metre"),
    **{base: (1.0, base) for base in _SHORT},
    **{s: (_factor(base, s), base) for base, text in _SHORT.items() for s in text.split()},
}

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_UNIT = re.compile(rf"({_NAME}|1)(?:\s*\*\*\s*(-?[1-4]))?")
_LINE = re.compile(
    rf"\s*(?:d(?P<rate>{_NAME})\s*/\s*dt\s*=(?P<slope>[^:]*)|(?P<sub>{_NAME})\s*=(?P<value>[^:]*)"
    rf"|(?P<parameter>{_NAME}))\s*:[ \t]*(?P<unit>[A-Za-z0-9_*/. \t-]*?)[ \t]*"
    r"(?P<flags>\([A-Za-z_, \t-]*\))?[ \t]*(?:\n|$)"
)
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Name,
    ast.Constant, ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UAdd, ast.USub,
    ast.Not, ast.And, ast.Or, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
_REMEDY = "arithmetic (+ - * / **), comparisons, 'and', 'or', 'not' and functions are possible"


@dataclass(frozen=True)
class Line:
    """An equation: "rate" (differential), "sub" (a name for an expression) or "parameter"."""

    kind: str
    name: str
    expression: str
    unit: str
    flags: str

    def text(self) -> str:
        """As Brian2 reads it."""
        left = {"rate": f"d{self.name}/dt = ", "sub": f"{self.name} = ", "parameter": self.name}
        return f"{left[self.kind]}{self.expression} : {self.unit} {self.flags}".strip()


def lines_of(text: str) -> tuple[Line, ...]:
    """Equations taken apart.

    Raises
    ------
    FitError
        Something that is no equation, is not allowed, or is too much.
    """
    _plain("the equations", text, MOST_EQUATIONS)
    bare = "\n".join(
        line.split("#")[0].rstrip() for line in text.replace("\r", "").split("\n")
    ).strip()
    found: list[Line] = []
    place = 0
    while place < len(bare):
        match = _LINE.match(bare, place)
        if match is None:
            where = bare[place:].strip().splitlines()[0]
            raise FitError(
                f"{_cut(where)!r} is no equation that can be read. Write 'dv/dt = ... : volt',"
                " 'x = ... : 1', or 'x : 1' for a parameter; each ends with a colon and its unit."
            )
        place = match.end()
        found.append(_line(match))
        if len(found) > MOST_ROWS:
            raise FitError(f"more than {MOST_ROWS} equations; that many are the most.")
    if not any(line.kind == "rate" for line in found):
        raise FitError("there is no differential equation; write one, as 'dv/dt = -v/tau : volt'.")
    return tuple(found)


def _line(match: re.Match[str]) -> Line:
    kind = next(k for k in ("rate", "sub", "parameter") if match[k])
    name, expression = match[kind], match["slope"] or match["value"] or ""
    if re.search(r"\n\s*\w+(\s*/\s*dt)?\s*=[^=]", expression):
        raise FitError(f"the equation of {name!r} has no unit; end it with ': volt', or ': 1'.")
    expression = " ".join(expression.split())
    if kind != "parameter":
        names_in(f"the equation of {name!r}", expression)
    _name(name)
    try:
        unit_of(match["unit"])
    except FitError as wrong:
        raise FitError(f"the equation of {name!r}: {wrong}") from None
    return Line(kind, name, expression, match["unit"].strip(), match["flags"] or "")


def unit_of(text: str) -> Value:
    """What a unit is: its factor, and base units as Brian2 writes them.

    Raises
    ------
    FitError
        A name that is not in the table, or something else than products of powers.
    """
    _plain("a unit", text, MOST_NUMBER)
    factor, words = 1.0, []
    rest, sign = text.strip(), 1
    if not rest:
        raise FitError("a unit is missing; write volt, amp, ..., or 1 for none.")
    while True:
        match = _UNIT.match(rest)
        if match is None:
            raise FitError(f"{text!r} is no unit; write it as pA, uF/cm**2, or 1 for none.")
        name, power = match[1], sign * int(match[2] or 1)
        if name != "1":
            if name not in UNITS:
                raise FitError(f"there is no unit {name!r}{did_you_mean(name, UNITS)}.")
            factor *= UNITS[name][0] ** power
            words.append(UNITS[name][1] + ("" if power == 1 else f"**{power}"))
        rest = rest[match.end() :].strip()
        if not rest:
            return Value(factor, "*".join(words) or "1")
        if rest[0] not in "*/":
            raise FitError(f"{text!r} is no unit; write it as pA, uF/cm**2, or 1 for none.")
        sign, rest = (1 if rest[0] == "*" else -1), rest[1:].strip()


def number_of(text: object) -> float:
    """A finite number that was typed; a comma is a point."""
    given = str(text).strip()
    if not given:
        raise FitError("a value is missing; give a number.")
    try:
        number = float(given.replace(",", ".")) if len(given) <= MOST_NUMBER else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FitError(f"{_cut(given)!r} is no number; write it as 12.5 or 3e-9.")
    return number


def names_in(what: str, text: str) -> frozenset[str]:
    """Names of an expression, without functions, constants and units.

    Raises
    ------
    FitError
        Something that is not allowed.
    """
    tree = _parsed(what, text, "eval")
    _check(what, tree)
    return _names(tree)


def reset_names(text: str, states: frozenset[str]) -> frozenset[str]:
    """Names of a reset's statements, which may change ``states`` alone.

    Raises
    ------
    FitError
        Something that is not allowed.
    """
    found: frozenset[str] = frozenset()
    for statement in _parsed("the reset", text, "exec").body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [
            getattr(statement, "target", None)
        ]  # fmt: skip
        possible = isinstance(statement, ast.Assign) or (
            isinstance(statement, ast.AugAssign)
            and isinstance(statement.op, (ast.Add, ast.Sub, ast.Mult, ast.Div))
        )
        if not possible or len(targets) != 1 or not isinstance(targets[0], ast.Name):
            raise FitError("the reset has lines as 'v = EL' or 'w += b', and nothing else.")
        name = targets[0].id
        if name not in states:
            raise FitError(
                f"the reset changes {name!r}, which has no differential equation"
                f"{did_you_mean(name, states)}; there are {', '.join(sorted(states))}."
            )
        value = ast.Expression(statement.value)
        _check("the reset", value)
        found |= _names(value)
    return found


def most_terms(lines: tuple[Line, ...]) -> int:
    """How many terms the longest equation has at most when its products are multiplied out.

    Some integrators let SymPy do that, and (a + b)(c + d)... doubles with each factor.
    """
    found: dict[str, int] = {}
    for line in lines:
        if line.expression:
            found[line.name] = _terms(ast.parse(line.expression, mode="eval").body, found)
    return max(found.values(), default=1)


def _terms(node: ast.AST, subs: Mapping[str, int]) -> int:
    if isinstance(node, ast.Name):
        return subs.get(node.id, 1)
    if not isinstance(node, ast.BinOp):
        return max((_terms(each, subs) for each in ast.iter_child_nodes(node)), default=1)
    left, right = _terms(node.left, subs), _terms(node.right, subs)
    if isinstance(node.op, ast.Pow):
        power = node.right.value if isinstance(node.right, ast.Constant) else 1
        count = int(abs(power)) if isinstance(power, (int, float)) else 1
        return math.comb(left + count - 1, count) if count else 1
    return left * right if isinstance(node.op, (ast.Mult, ast.Div)) else left + right


def did_you_mean(name: str, known: object) -> str:
    """Words with the nearest known name; nothing if none is near."""
    lower = {each.lower(): each for each in known}  # type: ignore[attr-defined]
    near = difflib.get_close_matches(name.lower(), lower, 1, 0.6)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


def _parsed(what: str, text: str, mode: str) -> Any:
    _plain(what, text, MOST_EQUATIONS if what.startswith("the equation") else MOST_TEXT)
    if not text.strip():
        raise FitError(f"{what} is empty.")
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise FitError(f"{what}: {deepest} parentheses in each other; {DEEPEST} are the most.")
    try:
        return ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        why = wrong.msg if isinstance(wrong, SyntaxError) else "it is too deep"
        raise FitError(f"{what} can't be read ({why}): {_cut(text)!r}; {_REMEDY}.") from None


def _check(what: str, tree: ast.AST) -> None:
    """Every node; without recursion, for a text may be deep without parentheses, too."""
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, powers = waiting.pop()
        if depth > 4 * DEEPEST:
            raise FitError(f"{what} is too deep; name parts of it in equations of their own.")
        if not isinstance(node, _ALLOWED):
            raise FitError(f"{what}: {_said(node)} can't stand there; {_REMEDY}.")
        if isinstance(node, ast.Constant):
            _constant(what, node)
        elif isinstance(node, ast.Name):
            _name(node.id)
        elif isinstance(node, ast.Call):
            _call(what, node)
            waiting += [(each, depth + 1, powers) for each in node.args]
            continue
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            powers += 1
            if powers > 2 or not _small(node.right):
                raise FitError(
                    f"{what}: a power of a power, or an exponent that is neither a name nor a"
                    f" number up to {LARGEST_POWER}; name the exponent as a parameter."
                )
        waiting += [(each, depth + 1, powers) for each in ast.iter_child_nodes(node)]


def _small(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Name):
        return True
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and abs(node.value) <= LARGEST_POWER
    )


def _constant(what: str, node: ast.Constant) -> None:
    value = node.value
    good = isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 1 << 53)
    if not good or not math.isfinite(value):  # type: ignore[arg-type]
        raise FitError(f"{what}: {_cut(repr(value))} is no number that can stand there.")


def _call(what: str, node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise FitError(f"{what}: only a function by its name can be called, as exp(x).")
    name = node.func.id
    if name in ("rand", "randn", "poisson"):
        raise FitError(
            f"{what} draws at random with {name}(); a target has to give the same spikes each"
            " time. Put the noise into the stimulus: it has a seed."
        )
    if name not in FUNCTIONS:
        raise FitError(
            f"{what}: there is no function {name!r}{did_you_mean(name, FUNCTIONS)}; there are"
            f" {', '.join(sorted(FUNCTIONS))}."
        )


def _names(tree: ast.AST) -> frozenset[str]:
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}
    return frozenset(names - _CONSTANTS - _GIVEN - UNITS.keys())


def _name(name: str) -> None:
    if name.startswith("_") or len(name) > MOST_NUMBER:
        raise FitError(f"the name {_cut(name)!r}: it begins with '_' or is too long; another one.")


def _said(node: ast.AST) -> str:
    words = {
        "Attribute": "a dot after a name", "Subscript": "a bracket", "Mod": "'%'",
        "FloorDiv": "'//'", "IfExp": "'if'", "Lambda": "'lambda'", "NamedExpr": "':='",
    }  # fmt: skip
    return words.get(type(node).__name__, f"what Python calls {type(node).__name__}")


def _plain(what: str, text: object, most: int) -> None:
    if not isinstance(text, str):
        raise FitError(f"{what}: a text is needed.")
    if len(text) > most:
        raise FitError(f"{what}: {len(text)} characters; {most} are the most.")
    if what == "the equations":
        text = re.sub("#[^\n]*", "", text)
    for character in text:
        if character not in "\n\r\t" and not " " <= character <= "~":
            raise FitError(
                f"{what}: the character {character!r} can't stand there; write names and units in"
                " ASCII letters (tau, uF), and '-' and '*' for minus and times."
            )


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
