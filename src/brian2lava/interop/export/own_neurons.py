"""Chip neurons that Lava's library lacks in fixed point, as Lava processes in plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from brian2lava.chip.arithmetic import Call, Expression, Name, Number, names_in, rows_of
from brian2lava.chip.models.neuron import NeuronModel, Step
from brian2lava.chip.network import Population
from brian2lava.chip.plain_steps import zero_registers
from brian2lava.chip.profiles import Arithmetic
from brian2lava.interop.export.module_text import head, model_head, wrapped
from brian2lava.interop.export.python_text import FUNCTIONS, Text, as_python


@dataclass(frozen=True)
class OwnNeuron:
    """The process that computes a population.

    Attributes
    ----------
    model : NeuronModel
    arithmetic : Arithmetic
    zero : frozenset of str
        Registers that are 0 in all neurons: the step leaves out what they would do.
    """

    model: NeuronModel
    arithmetic: Arithmetic
    zero: frozenset[str]

    @classmethod
    def of(cls, population: Population, arithmetic: Arithmetic) -> OwnNeuron:
        """That of ``population``."""
        return cls(population.neuron, arithmetic, zero_registers(population))

    @property
    def step(self) -> Step:
        """What one time step is."""
        return self.model.step(self.arithmetic, self.zero)

    @property
    def process(self) -> str:
        """A name for the class; other registers may give another step the same name."""
        refractory = "refractory" in self.used
        return f"{'Refractory' if refractory else 'Chip'}{self.model.name}"

    @property
    def derived(self) -> Mapping[str, Expression]:
        """Values that follow from the registers, those that the step reads."""
        read = _read(self.step)
        return {n: e for n, e in self.model.derived(self.arithmetic).items() if n in read}

    @property
    def used(self) -> frozenset[str]:
        """Names that the step reads or writes."""
        step = self.step
        written = {name for name, _ in (*step.assignments, *step.after)}
        behind = frozenset[str]().union(*map(names_in, self.derived.values()))
        return _read(step) | written | behind

    @property
    def registers(self) -> tuple[str, ...]:
        """Registers that matter."""
        return tuple(each.name for each in self.model.registers if each.name in self.used)

    @property
    def states(self) -> tuple[str, ...]:
        """States that change or matter."""
        return tuple(each.name for each in self.model.states if each.name in self.used)

    @property
    def draws(self) -> bool:
        """Whether it needs random words."""
        return bool(self.step.draws)

    @property
    def operations(self) -> frozenset[str]:
        """Operations that the integers' module has functions for."""
        rows = frozenset[str]().union(*map(rows_of, self._expressions()))
        return rows & FUNCTIONS.keys()

    def _expressions(self) -> Iterator[Expression]:
        yield from self.derived.values()
        yield from _expressions(self.step)

    def module(self, process: str) -> str:
        """The text of a module with the process, whose name is ``process``, and its model."""
        return "\n".join(_Module(self, process).lines()) + "\n"


def _expressions(step: Step) -> Iterator[Expression]:
    """All but the counters."""
    for _, expression in (*step.assignments, *step.after):
        yield expression
    yield step.fired
    if step.payload is not None:
        yield step.payload


def _read(step: Step) -> frozenset[str]:
    return frozenset[str]().union(*map(names_in, _expressions(step)))


class _Module:
    def __init__(self, own: OwnNeuron, process: str) -> None:
        self.own, self.process, self.step = own, process, own.step
        meanings = {each.name: each.meaning for each in own.model.registers}
        self.registers = {name: meanings[name] for name in own.registers}
        meanings = {each.name: each.meaning for each in own.model.states}
        self.states = {name: meanings[name] for name in own.states}
        self.names = {name: Text(f"self.{name}") for name in (*self.registers, *self.states)}
        self.names["t"] = Text("self.time_step")

    def lines(self) -> Iterator[str]:
        """All lines."""
        yield from self._head()
        yield from self._process()
        yield from self._model()

    def _head(self) -> Iterator[str]:
        model = self.own.model
        integers = {"WORD", *self.own.operations}
        doc = [
            f"{self.process}: chip neurons ({model.name}) that Lava's library has no process for.",
            "",
            *wrapped(f"{model.equations}.", ""),
            "",
            "dec(x, d) = sgn(x) * ((|x| * (4096 - d)) >> 12); all in integers, with the chip's"
            " ranges.",
        ]
        yield from head(doc, bool(model.ports), True, True, integers)

    def _process(self) -> Iterator[str]:
        model, own = self.own.model, self.own
        words = ["words"] if own.draws else []
        given = [f"{name}=0" for name in (*self.registers, *self.states)]
        ports = ", ".join(model.ports)
        yield from (
            "",
            "",
            f"class {self.process}(AbstractProcess):",
            '    """Neurons of one group; registers and states are numbers, or one a neuron.',
            "",
            f"    {'Ports: ' + ports + ' (what arrives),' if ports else 'Port:'} s_out (spikes).",
        )
        if words:
            yield "    words: random words of 24 bits, one row a step."
        yield '    """'
        yield ""
        yield from _signature(["shape", *words, 'name=""', *given])
        passed = ["shape=shape", "name=name", *(f"{each}={each}" for each in words)]
        yield f"        super().__init__({', '.join(passed)})"
        for port in model.ports:
            yield f"        self.{port} = InPort(shape=shape)"
        yield "        self.s_out = OutPort(shape=shape)"
        for name, meaning in {**self.registers, **self.states}.items():
            yield f"        self.{name} = Var(shape=shape, init={name})  # {meaning}"

    def _model(self) -> Iterator[str]:
        yield from model_head(self.process)
        yield '    """How they are computed."""'
        yield ""
        for port in self.own.model.ports:
            yield f"    {port}: PyInPort = LavaPyType(PyInPort.VEC_DENSE, WORD)"
        yield "    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, WORD)"
        for name in (*self.registers, *self.states):
            yield f"    {name}: np.ndarray = LavaPyType(np.ndarray, WORD)"
        if self.own.draws:
            yield from (
                "",
                "    def __init__(self, proc_params):",
                "        super().__init__(proc_params)",
                '        self.words = proc_params["words"]',
            )
        yield ""
        yield "    def run_spk(self):"
        yield '        """One time step."""'
        for line in self._step_lines():
            yield f"        {line}"

    def _step_lines(self) -> Iterator[str]:
        for port in self.own.model.ports:
            yield f"{port} = self.{port}.recv().astype(WORD)"
        for draw in self.step.draws:
            yield f"{draw} = self.words[self.time_step - 1].astype(WORD)"
        for name, expression in self.own.derived.items():
            yield self._local(name, expression)
        for name, expression in self.step.assignments:
            yield self._assigned(name, expression)
        fired = as_python(self.step.fired, self.names).as_truth()
        self.names["fired"] = Text("fired", truth=True)
        yield f"fired = {fired.text}"
        yield from self._sent()
        yield from self._after()
        yield "self.s_out.send(sent)"

    def _sent(self) -> Iterator[str]:
        if self.step.payload is None:
            yield f"sent = {self.names['fired'].as_integer().text}"
        else:
            payload = as_python(self.step.payload, self.names).as_integer().text
            yield f"sent = np.where(fired, {payload}, 0)"

    def _local(self, name: str, expression: Expression) -> str:
        made = as_python(expression, self.names)
        self.names[name] = Text(name, truth=made.truth)
        moving = isinstance(expression, Name) and expression.name in self.states
        kept = ".copy()" if moving else ""  # the state moves on
        return f"{name} = {made.text}{kept}"

    def _assigned(self, name: str, expression: Expression) -> str:
        if name in self.states:
            return f"self.{name}[:] = {as_python(expression, self.names).text}"
        return self._local(name, expression)

    def _after(self) -> Iterator[str]:
        """What a spike does; all from the values before, so that what is still read is kept."""
        later = []
        for place, (name, expression) in enumerate(self.step.after):
            read = (names_in(other) for _, other in self.step.after[place + 1 :])
            if any(name in each for each in read):
                made = as_python(expression, self.names).text
                yield f"new_{name} = {made}"
                later.append(f"self.{name}[:] = new_{name}")
            else:
                yield self._reset(name, expression)
        yield from later

    def _reset(self, name: str, expression: Expression) -> str:
        if isinstance(expression, Call) and expression.row.name == "select":
            condition, yes, no = expression.operands
            if condition == Name("fired") and no == Name(name) and isinstance(yes, Number):
                return f"self.{name}[fired] = {yes.value}"
        return f"self.{name}[:] = {as_python(expression, self.names).text}"


def _signature(words: list[str]) -> Iterator[str]:
    line = f"    def __init__(self, *, {', '.join(words)}):"
    if len(line) <= 96:
        yield line
        return
    yield "    def __init__("
    yield "        self, *,"
    row = "       "
    for word in words:
        if len(row) + len(word) > 90:
            yield row
            row = "       "
        row += f" {word},"
    yield row
    yield "    ):"
