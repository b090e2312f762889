"""Whole Brian2 scripts, drawn at random: a failing test prints one that runs by itself."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.networks.equations import models, numbers, times

SLOTS = tuple(
    prefix + slot
    for slot in ("start", "groups", "thresholds", "synapses", "resets", "end")
    for prefix in ("before_", "", "after_")
)
_CLOCKS = ("", "", "", "", ", dt=0.1*ms", ", dt=0.2*ms", ", dt=0.05*ms", ", dt=0.3*ms")
_SIZES = (1, 2, 3, 5, 8, 9, 17, 33)


@dataclass(frozen=True)
class Probe:
    """A comparison that rounding can decide: ``left`` against ``right`` in every neuron."""

    group: str
    left: str
    right: str
    when: str
    order: int


@dataclass(frozen=True)
class Script:
    """Two parts of a script (the objects, then the runs) and the comparisons in it."""

    objects: str
    runs: str
    probes: tuple[Probe, ...]

    def __str__(self) -> str:
        return f"{self.objects}\n{self.runs}"

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis prints of a failing example: the script."""
        printer.text(f"\n{self}\n")


@dataclass(frozen=True)
class _Group:
    """What later lines need to know of something that spikes."""

    name: str
    size: int
    #: The group whose arrays it has: itself, or what it is a part of.
    base: str
    #: Whether it has the variables of :func:`tests.networks.equations.models`.
    has_model: bool
    whole: bool = True
    events: tuple[str, ...] = ("spike",)
    constant_p: bool = False
    #: Whether ``v`` is held while refractory (Brian2's NumPy target fails on such a ``v_pre``).
    guarded: bool = False
    #: Whether Brian2 lets it have subgroups.
    divisible: bool = False


@dataclass
class _Draft:
    """A script while it is drawn."""

    groups: list[_Group] = field(default_factory=list)
    synapses: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    summed_into: set[str] = field(default_factory=set)
    generators: list[tuple[str, int]] = field(default_factory=list)
    monitors: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines.extend(textwrap.dedent(text).strip("\n").split("\n"))


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """A deterministic network with its runs."""
    draft = _Draft()
    draft.add("from brian2 import *\nimport numpy\n")
    stimulus = draw(st.sampled_from((None, None, "flat", "grid")))
    if stimulus == "flat":
        draft.add(f"flat = TimedArray({_values(draw, 7)}, dt=1.3*ms)")
    elif stimulus == "grid":
        draft.add(f"grid = TimedArray({_values(draw, 15)}.reshape(5, 3), dt=2.1*ms)")
    for number in range(draw(st.integers(1, 3))):
        _add_group(draw, draft, f"G{number}", stimulus)
    for number in range(draw(st.integers(0, 2))):
        _add_generator(draw, draft, f"P{number}")
    if draw(st.booleans()):
        _add_subgroup(draw, draft)
    for number in range(draw(st.integers(0, 3))):
        _add_synapses(draw, draft, f"S{number}")
    for _ in range(draw(st.integers(0, 3))):
        _add_operation(draw, draft)
    _add_monitors(draw, draft)
    draft.add("net = Network(collect())")
    if draw(st.integers(0, 4)) == 0:
        slots = draw(st.permutations(("start", "groups", "thresholds", "synapses", "resets")))
        draft.add(f"net.schedule = {[*slots, 'end']}")
    return Script("\n".join(draft.lines), "\n".join(_runs(draw, draft)), tuple(draft.probes))


def _values(draw: st.DrawFn, size: int | str, low: float = -1.0, high: float = 1.0) -> str:
    return f"numpy.random.RandomState({draw(st.integers(0, 99))}).uniform({low}, {high}, {size})"


def _slot(draw: st.DrawFn, usual: str) -> tuple[str, int]:
    """A place in the schedule: mostly the usual one."""
    if draw(st.integers(0, 2)):
        return usual, draw(st.sampled_from((0, 0, 0, -1, 1)))
    return draw(st.sampled_from(SLOTS)), draw(st.integers(-2, 2))


def _move(draw: st.DrawFn, draft: _Draft, owner: str, usual: str) -> tuple[str, int]:
    """Perhaps put ``owner`` (an expression) elsewhere in the schedule; its place afterwards."""
    if draw(st.integers(0, 3)):
        return usual, 0
    when, order = _slot(draw, usual)
    draft.add(f"{owner}.when = '{when}'\n{owner}.order = {order}")
    return when, order


def _add_group(draw: st.DrawFn, draft: _Draft, name: str, stimulus: str | None) -> None:
    size = draw(st.sampled_from(_SIZES))
    linkable = [group for group in draft.groups if group.has_model]
    peer = draw(st.sampled_from([None, *linkable]))
    model = draw(models(stimulus, peer is not None))
    constant_p = "p : 1 (constant)" in model.text
    threshold, compared = _threshold(draw)
    refractory, refractory_compared = _refractory(draw, model.uses_refractory)
    events = "{'high': 'a > 0.2173 + 0.1*p'}" if draw(st.integers(0, 2)) == 0 else None
    draft.add(f"{name} = NeuronGroup({size}, '''")
    draft.add(model.text)
    draft.add(
        f"""
        ''', threshold='{threshold}', reset='{_reset(draw)}',
            refractory={refractory}, events={events}, method='{model.method}', name='{name}'"""
        + draw(st.sampled_from(_CLOCKS))
        + ")"
    )
    for variable in model.settable:
        low, high = (-0.2, 0.8) if variable == "v" else (-0.4, 0.6)
        draft.add(f"{name}.{variable} = {_values(draw, size, low, high)}")
    if peer is not None:
        index = f", index=numpy.arange({size}) % {peer.size}"
        draft.add(f"{name}.peer = linked_var({peer.name}, 'a'{index})")
    when, order = _move(draw, draft, f"{name}.thresholder['spike']", "thresholds")
    _move(draw, draft, f"{name}.resetter['spike']", "resets")
    updated, update_order = _move(draw, draft, f"{name}.state_updater", "groups")
    draft.probes += [Probe(name, left, right, when, order) for left, right in compared]
    in_update = model.comparisons + refractory_compared
    draft.probes += [Probe(name, left, right, updated, update_order) for left, right in in_update]
    if events:
        draft.probes.append(Probe(name, "a", "0.2173 + 0.1*p", "thresholds", 0))
        when, order = _slot(draw, "after_thresholds")
        draft.add(f"{name}.run_on_event('high', 'u += 0.1*v', when='{when}', order={order})")
    names = ("spike", "high") if events else ("spike",)
    draft.groups.append(
        _Group(
            name,
            size,
            name,
            True,
            events=names,
            constant_p=constant_p,
            guarded=model.uses_refractory,
            divisible=peer is None,
        )
    )


def _threshold(draw: st.DrawFn) -> tuple[str, tuple[tuple[str, str], ...]]:
    edge = draw(numbers(0.5, 1.1))
    kind = draw(st.sampled_from(("plain", "plain", "per neuron", "both")))
    if kind == "plain":
        return f"v > {edge}", (("v", edge),)
    if kind == "per neuron":
        return f"v >= {edge} + 0.1*p", (("v", f"{edge} + 0.1*p"),)
    other = draw(numbers(0.3, 0.9))
    return f"v > {edge} and a < {other}", (("v", edge), ("a", other))


def _refractory(draw: st.DrawFn, needed: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    kinds = ("time", "per neuron", "condition") + (() if needed else ("none", "none"))
    kind = draw(st.sampled_from(kinds))
    if kind == "none":
        return "False", ()
    if kind == "time":
        return draw(times(0.3, 4)), ()
    if kind == "per neuron":
        return f"'(1 + p)*{draw(times(0.5, 3))}'", ()
    edge = draw(numbers(0.1, 0.4))
    return f"'v > {edge}'", (("v", edge),)


def _reset(draw: st.DrawFn) -> str:
    first = draw(
        st.sampled_from(("v = 0.1*p", f"v -= {draw(numbers(0.5, 1.0))}", "v = 0.02", "v *= 0.1"))
    )
    others = ("a += 0.061", "ticks += 1", "on = not on", "g *= 0.53", "u = t/ms")
    return "; ".join((first, *draw(st.lists(st.sampled_from(others), max_size=2, unique=True))))


def _add_generator(draw: st.DrawFn, draft: _Draft, name: str) -> None:
    size = draw(st.sampled_from((1, 3, 7)))
    draft.add(
        f"{name} = SpikeGeneratorGroup({size}, {_spikes(draw, size)}"
        + draw(st.sampled_from(("", "", ", period=6*ms")))
        + f", name='{name}')"
    )
    draft.generators.append((name, size))
    draft.groups.append(_Group(name, size, name, has_model=False))


def _spikes(draw: st.DrawFn, size: int) -> str:
    """Indices and times: at most one spike a neuron in 0.6 ms, so that any ``dt`` serves."""
    events = draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 9)), max_size=12, unique=True)
    )
    indices = [index for index, _ in events]
    return f"{indices}, numpy.array({[slot * 6 for _, slot in events]}, dtype=float)*0.1*ms"


def _add_subgroup(draw: st.DrawFn, draft: _Draft) -> None:
    large = [group for group in draft.groups if group.size >= 3 and group.divisible]
    if not large:
        return
    group = draw(st.sampled_from(large))
    start = draw(st.integers(0, group.size - 2))
    stop = draw(st.integers(start + 1, group.size))
    draft.add(f"H = {group.name}[{start}:{stop}]")
    draft.groups.append(
        replace(group, name="H", size=stop - start, whole=False, events=("spike",), divisible=False)
    )


_CONNECT = (
    "",
    "i != j",
    "abs(i - j) < 2",
    "(i + 2*j) % 3 == 0",
    "j='k for k in range(i, N_post, 2)'",
    "j='(i*3 + k) % N_post for k in range(2)'",
    "i=[0, 0], j=[0, 0]",
    "i=0, j=0",
)
_ON_PRE = (
    "v_post += w",
    "g_post += w",
    "g_post += w",
    "a_post += 0.13*w",
    "u_post += w*v_pre",
    "ticks_post += 1",
    "v_pre -= 0.013",
    "u_pre += 0.5*w",
    "u_post = 0.9*u_post + w",
    "g_post = clip(g_post + w, -0.7, 0.9)",
    "v_post += 0.1*w*(t > 2*ms)",
)
_ON_PRE_PLASTIC = (
    "x += 0.21",
    "w = clip(w + 0.02*y, -0.3, 0.4)",
    "g_post += w*x",
    "w = clip(w - 0.01*v_post, -0.3, 0.4)",
    "y *= 0.93",
)
_ON_POST = (
    "y += 0.17",
    "w = clip(w + 0.02*x, -0.3, 0.4)",
    "g_post -= 0.01*x",
    "w *= 0.99",
)


def _add_synapses(draw: st.DrawFn, draft: _Draft, name: str) -> None:
    source = draw(st.sampled_from(draft.groups))
    target = draw(st.sampled_from([group for group in draft.groups if group.has_model]))
    kind = draw(st.sampled_from(("none", "event-driven", "clock-driven")))
    equations = ["w : 1"]
    if kind != "none":
        equations += [f"d{n}/dt = -{n}/({draw(times(4, 20))}) : 1 ({kind})" for n in "xy"]
    can_sum = target.whole and target.name not in draft.summed_into
    if can_sum and draw(st.booleans()):
        shapes = ["0.1*w"]
        if source.has_model:
            shapes += ["0.3*w*(v_pre - v_post)", "w*tanh(a_pre + v_post)"]
        if kind == "clock-driven":
            shapes.append("0.2*x")
        equations.append(f"total_post = {draw(st.sampled_from(shapes))} : 1 (summed)")
        draft.summed_into.add(target.name)
    usable = [code for code in _ON_PRE if source.has_model or "_pre" not in code]
    if source.guarded:
        usable = [code for code in usable if "v_pre" not in code]
    if source.base == target.base:
        # Of two values for one element, as ``_pre`` and as ``_post``, Brian2 may keep either.
        usable = [code for code in usable if "u_post" not in code and "v_pre -=" not in code]
    if kind != "none":
        usable += _ON_PRE_PLASTIC
    several = draw(st.integers(0, 4)) == 0
    pathways: tuple[str, ...] = ("fast", "slow") if several else ("pre",)
    on_pre = {path: _statements(draw, usable) for path in pathways}
    on_post = _statements(draw, list(_ON_POST)) if kind != "none" else None
    if on_post:
        pathways += ("post",)
    scalar = [path for path in pathways if draw(st.integers(0, 3)) == 0]
    delay = ", ".join(f"'{path}': {_delay(draw)}" for path in scalar)
    method = ", method='euler'" if kind == "clock-driven" and draw(st.booleans()) else ""
    multiple = draw(st.integers(0, 3)) == 0
    draft.add(f"{name} = Synapses({source.name}, {target.name}, '''")
    draft.add("\n".join(equations))
    draft.add(
        f"''', on_pre={on_pre!r}, on_post={on_post!r}, delay={{{delay}}}, name='{name}'"
        + (", multisynaptic_index='k'" if multiple else "")
        + method
        + ")"
    )
    rule = draw(st.sampled_from(_CONNECT))
    if rule and "=" in rule.replace("!=", "").replace("==", "") and "<" not in rule:
        draft.add(f"{name}.connect({rule}{', n=2' if multiple and '[' not in rule else ''})")
    else:
        condition = f"'{rule}'" if rule else "True"
        draft.add(f"{name}.connect({condition}{', n=2' if multiple else ''})")
    draft.add(f"{name}.w = {_values(draw, f'len({name})', -0.15, 0.25)}")
    for path in pathways:
        if path not in scalar and draw(st.integers(0, 2)):
            draft.add(f"{name}.{path}.delay = {_delays(draw, f'len({name})', multiple)}")
        _move(draw, draft, f"{name}.{path}", "synapses")
    draft.synapses.append((name, tuple(path for path in pathways if path not in scalar)))


def _statements(draw: st.DrawFn, usable: list[str]) -> str:
    return "; ".join(draw(st.lists(st.sampled_from(usable), min_size=1, max_size=3, unique=True)))


def _delay(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(("0*ms", "0.1*ms", "0.83*ms", "1*ms", "2.37*ms", "30*ms")))


def _delays(draw: st.DrawFn, size: str, multiple: bool) -> str:
    rules = ["'0.31*i*ms'", "'(j % 4)*0.52*ms'", "1.2*ms", "'abs(i - j)*0.23*ms'"]
    if multiple:
        rules.append("'(k + 1)*0.42*ms'")
    rules.append(
        f"numpy.random.RandomState({draw(st.integers(0, 99))}).randint(0, 37, {size})*0.1*ms"
    )
    return draw(st.sampled_from(rules))


def _add_operation(draw: st.DrawFn, draft: _Draft) -> None:
    """A regular operation in generated code or in Python."""
    group = draw(st.sampled_from([g for g in draft.groups if g.has_model and g.whole]))
    when, order = _slot(draw, "start")
    at = f"when='{when}', order={order}"
    dt = draw(st.sampled_from(("", ", dt=0.2*ms", ", dt=1*ms", ", dt=0.7*ms")))
    codes = ["u = 0.9*u + 0.1*v", "g += 0.02*sin(i + t/ms)", "shown = cos(t/(3*ms))"]
    if not group.constant_p:
        codes.append("p = 0.5*tanh(v + a)")
    if draw(st.integers(0, 3)):
        code = draw(st.sampled_from(codes))
        draft.add(f"{group.name}.run_regularly('{code}', {at}{dt})")
        return
    name = f"operation{len(draft.lines)}"
    draft.add(
        f"""
        @network_operation({at}{dt}, name='{name}')
        def {name}(t):
            {group.name}.u_[0] += 0.1*{group.name}.v_[0]
            {group.name}.g_ = 0.99*{group.name}.g_[:]
        """
    )


def _add_monitors(draw: st.DrawFn, draft: _Draft) -> None:
    for group in draft.groups:
        part = draw(st.sampled_from(("True", "True", "False", "[0]")))
        if not group.whole and part == "[0]":
            part = "True"
        variables = ", variables=['v', 'ticks', 'u']" if group.has_model else ""
        if part == "False" or draw(st.booleans()):
            variables = ""
        name = f"spikes_{group.name}"
        draft.add(f"{name} = SpikeMonitor({group.name}{variables}, record={part}, name='{name}')")
        draft.monitors.append(name)
        if "high" in group.events and draw(st.booleans()):
            draft.add(
                f"high_{group.name} = EventMonitor({group.name}, 'high', variables='a', "
                f"name='high_{group.name}')"
            )
        if draw(st.booleans()):
            draft.add(
                f"rate_{group.name} = PopulationRateMonitor({group.name}, name='rate_{group.name}')"
            )
        if group.has_model and group.whole and draw(st.integers(0, 3)):
            _add_state_monitor(draw, draft, group)
    for name, _ in draft.synapses:
        if draw(st.booleans()):
            when, order = _slot(draw, "start")
            draft.add(
                f"trace_{name} = StateMonitor({name}, 'w', record=True, when='{when}', "
                f"order={order}, name='trace_{name}')"
            )


def _add_state_monitor(draw: st.DrawFn, draft: _Draft, group: _Group) -> None:
    when, order = _slot(draw, "start")
    variables = draw(
        st.lists(
            st.sampled_from(("v", "a", "g", "u", "total", "ticks", "on", "shown", "lastspike")),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    if "lastspike" in variables:
        variables.remove("lastspike")
        variables.append("p")
    part = draw(st.sampled_from(("True", "True", "0", f"[0, {group.size - 1}]")))
    if group.size == 1:
        part = "True"
    dt = draw(st.sampled_from(("", "", ", dt=0.4*ms", ", dt=1*ms")))
    name = f"trace_{group.name}"
    draft.add(
        f"{name} = StateMonitor({group.name}, {variables}, record={part}, when='{when}', "
        f"order={order}{dt}, name='{name}')"
    )


def _runs(draw: st.DrawFn, draft: _Draft) -> list[str]:
    """One to three runs with changes between them."""
    lines = [f"net.run({draw(st.sampled_from(('6', '9', '12')))}*ms)"]
    stored = False
    for _ in range(draw(st.integers(0, 2))):
        if not stored and draw(st.integers(0, 3)) == 0:
            lines.append("net.store('here')")
            stored = True
        for _ in range(draw(st.integers(1, 2))):
            lines += _change(draw, draft, stored)
        lines.append(f"net.run({draw(st.sampled_from(('6', '3', '0')))}*ms)")
    if stored:
        lines += ["net.restore('here')", "net.run(3*ms)"]
    return lines


def _change(draw: st.DrawFn, draft: _Draft, stored: bool) -> list[str]:
    group = draw(st.sampled_from([g for g in draft.groups if g.has_model]))
    changes = [
        [f"{group.name}.v = {_values(draw, group.size, -0.2, 0.8)}"],
        [f"{group.name}.p = '0.3*cos(i)'"],
        [f"{group.name}.g['v > 0.3'] = 0.4"],
        [f"{draft.monitors[0]}.active = False"],
    ]
    if not stored:
        # A longer step is left out: there Brian2's queue drops spikes that merge in one slot.
        changes.append(["defaultclock.dt = 0.05*ms"])
        changes.append([f"late = SpikeMonitor({group.name})", "net.add(late)"])
    for name, flexible in draft.synapses:
        changes.append([f"{name}.w = '0.1*sin(i + 2.3*j)'"])
        changes.append([f"{name}.active = False"])
        # Shorter delays are left out: where a synapse is reached twice in one step, Brian2's NumPy
        # target runs its code once.
        longer = draw(st.sampled_from(("10.3*ms", "17*ms")))
        changes += [[f"{name}.{path}.delay = {longer}"] for path in flexible]
        if not stored:
            changes.append([f"{name}.connect(i=0, j=0)", f"{name}.w[-1] = 0.113"])
    for name, size in draft.generators:
        changes.append([f"{name}.set_spikes({_spikes(draw, size)} + net.t)"])
    return draw(st.sampled_from(changes))
