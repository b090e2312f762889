"""A grammar of equations, drawn at random. All quantities are without unit; time constants in ms.

Every right-hand side is bounded and pulls back to rest, so that a network neither blows up nor
multiplies rounding errors much; numbers have odd digits, so that values seldom meet thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Model:
    """The equations of a group, and what may be done with them."""

    text: str
    method: str
    #: Names of floating point variables that can be set, per neuron.
    settable: tuple[str, ...]
    #: Whether an equation carries ``(unless refractory)``.
    uses_refractory: bool
    #: Comparisons in the equations, as (left, right): places where rounding can decide.
    comparisons: tuple[tuple[str, str], ...]


def numbers(low: float, high: float) -> st.SearchStrategy[str]:
    """Decimal text between ``low`` and ``high`` with digits that no simple fraction has."""
    return st.integers(0, 996).map(lambda n: f"{low + (high - low) * (n + 0.3717) / 997:.6f}")


def times(low: float, high: float) -> st.SearchStrategy[str]:
    """A time in milliseconds, as text for Brian2."""
    return numbers(low, high).map(lambda text: f"{text}*ms")


_LEAVES = ("v", "a", "g", "p")
_FUNCTIONS = (
    "tanh({})",
    "sin({})",
    "cos(1.7*{})",
    "exp(-({})**2)",
    "abs({})",
    "clip({}, -0.8, 0.9)",
    "sqrt(abs({}) + 0.1)",
    "1/(1 + exp(-({})/0.31))",
    "arctan({})",
    "log(1.3 + abs({}))",
)


@st.composite
def terms(draw: st.DrawFn, depth: int = 2) -> str:
    """A bounded expression in ``v``, ``a``, ``g`` and ``p``."""
    kind = draw(st.sampled_from(("leaf", "number", "function", "sum", "product")))
    if depth == 0 or kind == "leaf":
        return draw(st.sampled_from(_LEAVES))
    if kind == "number":
        return draw(numbers(-1.0, 1.0))
    inner = draw(terms(depth - 1))
    if kind == "function":
        return draw(st.sampled_from(_FUNCTIONS)).format(inner)
    other = draw(terms(depth - 1))
    if kind == "sum":
        return f"({inner} - {draw(numbers(0.2, 0.9))}*{other})"
    return f"tanh({inner})*tanh({other})"


@st.composite
def models(draw: st.DrawFn, stimulus: str | None, linked: bool) -> Model:
    """Equations for ``v`` (spiking), ``a`` (slow), ``g`` (synaptic), ``p`` and counters.

    ``stimulus`` names a TimedArray that the drive may read: ``"flat"`` or ``"grid"``. ``linked``
    adds a linked variable ``peer`` to the drive. ``total`` is where summed variables arrive.
    """
    linear = draw(st.booleans())
    refractory = draw(st.booleans())
    flag = " (unless refractory)" if refractory else ""
    comparisons: tuple[tuple[str, str], ...] = ()
    drive, drive_equation = draw(_drives(stimulus))
    if linear:
        right = f"{drive} + {draw(numbers(0.1, 0.6))}*g - {draw(numbers(0.0, 0.4))}*a"
        method = draw(
            st.sampled_from(("exact", "euler", "rk2", "rk4", "exponential_euler", "euler"))
        )
        if drive_equation and "constant over dt" not in drive_equation and method == "exact":
            method = "rk2"
    else:
        right = f"{drive} + {draw(numbers(0.1, 0.6))}*{draw(terms())} + 0.3*g"
        if draw(st.booleans()):
            edge = draw(numbers(0.1, 0.6))
            right += f" + 0.2*int(a > {edge})"
            comparisons = (("a", edge),)
        method = draw(st.sampled_from(("euler", "rk2", "rk4")))
    # SymPy takes minutes for the matrix exponential of a system where all depends on all.
    pull = "" if method == "exact" else f"{draw(numbers(0.0, 0.5))}*v "
    right += " + 0.2*total" + (" + 0.1*peer" if linked else "")
    lines = [
        f"dv/dt = ({right} - v)/({draw(times(3, 15))}) : 1{flag}",
        f"da/dt = ({pull}-a)/({draw(times(10, 40))}) : 1",
        f"dg/dt = -g/({draw(times(2, 8))}) : 1{flag if draw(st.booleans()) else ''}",
        "p : 1" + draw(st.sampled_from(("", " (constant)"))),
        "u : 1",
        "total : 1",
        "ticks : integer",
        "shown : 1 (shared)",
        "on : boolean",
    ]
    if drive_equation:
        lines.append(drive_equation)
    if linked:
        lines.append("peer : 1 (linked)")
    settable = ("v", "a", "g", "u", "p")
    return Model("\n".join(lines), method, settable, refractory, comparisons)


@st.composite
def _drives(draw: st.DrawFn, stimulus: str | None) -> tuple[str, str]:
    """The drive as a term, and the subexpression that defines it ("" when the term says it all)."""
    base = f"{draw(numbers(0.9, 1.9))} + 0.2*p"
    kinds = ["plain", "sine", "held", "shared"] + (["stimulus"] * 2 if stimulus else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "plain":
        return base, ""
    if kind == "sine":
        rate = draw(numbers(20, 90))
        return "drive", f"drive = {base} + 0.3*sin(2*pi*{rate}*Hz*t) : 1"
    if kind == "held":
        return "drive", f"drive = {base} + 0.2*sin(a*3 + t/(7*ms)) : 1 (constant over dt)"
    if kind == "shared":
        return f"drive + {base}", "drive = 0.3*shown + 0.1*cos(t/(5*ms)) : 1 (shared)"
    call = "flat(t)" if stimulus == "flat" else "grid(t, i % 3)"
    return f"drive + {base}", f"drive = 0.4*{call} : 1"
