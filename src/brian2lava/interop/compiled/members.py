"""A Lava graph, compiled by Lava, as process models in this process and channels between them.

Which processes belong to a graph, which model serves each, what a hierarchical process consists of
and what virtual ports do is Lava's own decision: its compiler makes the builders, and these make
the models here. Only the channels are others (:mod:`.channels`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from lava.magma.compiler.builders.channel_builder import ChannelBuilderMp
from lava.magma.compiler.builders.py_builder import PyProcessBuilder
from lava.magma.compiler.executable import Executable
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.ports.ports import InPort, create_port_id
from lava.proc.io.extractor import VarWire
from scipy.sparse import spmatrix

from brian2lava.errors import NotSupported
from brian2lava.interop.compiled.channels import (
    Channel,
    Pipe,
    ReceiveEnd,
    RequestChannel,
    SendEnd,
    Wire,
)


@dataclass
class Link:
    """One connection between two ports."""

    channel: Channel
    source: Member
    source_port: str
    target: Member
    target_port: str


@dataclass
class Member:
    """A process of the graph with its model.

    Attributes
    ----------
    process, model
        Lava's, the model being built.
    inputs, outputs : dict of port to list of Link
        In Lava's order, in which an InPort adds.
    references : dict of port to (Member, name of a Var)
        What its RefPorts reach.
    referred : set of str
        Its Vars that RefPorts of others reach.
    pipes : list of Pipe or Wire
        To and from the user's own code.
    write : callable
        How others write a Var of it: (name, value).
    store : callable
        Brings the Vars of the model up to date before they are read.
    """

    process: Any
    builder: Any
    model: Any = None
    inputs: dict[str, list[Link]] = field(default_factory=dict)
    outputs: dict[str, list[Link]] = field(default_factory=dict)
    references: dict[str, tuple[Member, str]] = field(default_factory=dict)
    referred: set[str] = field(default_factory=set)
    pipes: list[Pipe | Wire] = field(default_factory=list)
    write: Callable[[str, Any], None] = lambda name, value: None
    store: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        """Class and name of the process, for messages."""
        return f"{type(self.process).__name__} {self.process.name!r}"


def members_of(executable: Executable) -> list[Member]:
    """The processes of a compiled graph, models built and ports joined, in the order of their ids.

    Raises
    ------
    NotSupported
        A process is not simulated step by step in Python: it is asynchronous, or on a chip.
    """
    found = {
        process: Member(process, builder) for process, builder in executable.proc_builders.items()
    }
    for member in found.values():
        _refuse_foreign(member)
        member.builder.proc_params = _own_parameters(member.process.proc_params)
    _join(found, executable.channel_builders)
    for member in found.values():
        _open_pipes(member)
        if isinstance(member.process, VarWire):
            _open_wire(member)
    for member in found.values():
        member.model = _built(member.builder)
        member.write = partial(setattr, member.model)
    return sorted(found.values(), key=lambda member: int(member.process.id))


def _refuse_foreign(member: Member) -> None:
    model = member.process.model_class
    if isinstance(member.builder, PyProcessBuilder) and issubclass(model, PyLoihiProcessModel):
        return
    raise NotSupported(
        f"{member.name}: its model {model.__name__} is no PyLoihiProcessModel. CompiledCfg runs"
        " processes step by step (LoihiProtocol) in Python and in compiled code; asynchronous"
        " models and those for chips are left to Lava: use Loihi2SimCfg or Loihi2HwCfg, or give"
        " another model in exception_proc_model_map."
    )


def _own_parameters(parameters: Any) -> Any:
    """What a model may change of its parameters is its own: in Lava a fork sees to that."""
    own = copy.copy(parameters)
    own._parameters = {name: _own(value) for name, value in parameters._parameters.items()}
    return own


def _own(value: Any) -> Any:
    """A copy of Lava's own objects (learning rules); what can't be copied is shared."""
    if not type(value).__module__.startswith("lava."):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _join(found: dict[Any, Member], builders: list[Any]) -> None:
    """Make the channels and hand their ends to the builders of the models."""
    requests: dict[tuple[Any, str, Any, str], tuple[RequestChannel, ReceiveEnd]] = {}
    for builder in builders:
        source, target = found[builder.src_process], found[builder.dst_process]
        if not isinstance(builder, ChannelBuilderMp):
            raise NotSupported(f"{source.name} -> {target.name}: a channel to a chip.")
        start, end = builder.src_port_initializer, builder.dst_port_initializer
        names = (f"{source.name}.{start.name}", f"{target.name}.{end.name}")
        key = (source.process, start.name, target.process, end.name)
        kind = RequestChannel if start.port_type == "RefPort" else Channel
        channel = kind(*names, start.shape, start.d_type)
        sender, receiver = SendEnd(start.name, channel), ReceiveEnd(end.name, channel)
        source.builder.set_csp_ports([sender])
        target.builder.set_csp_ports([receiver])
        port = create_port_id(source.process.id, start.name)
        target.builder.add_csp_port_mapping(port, receiver)
        if isinstance(channel, RequestChannel):
            requests[key] = (channel, receiver)
            source.references[start.name] = (target, end.var_name)
            target.referred.add(end.var_name)
        elif (key[2], key[3], key[0], key[1]) in requests:  # what a variable answers
            request, asked = requests[key[2], key[3], key[0], key[1]]
            request.serve = _server(source, start, channel, asked)
        else:
            link = Link(channel, source, start.name, target, end.name)
            source.outputs.setdefault(start.name, []).append(link)
            target.inputs.setdefault(end.name, []).append(link)


def _server(member: Member, port: Any, answer: Channel, asked: ReceiveEnd) -> Callable[[Any], None]:
    """Serves reads and writes of one Var of ``member``."""

    def serve(value: Any) -> None:
        if value is None:
            member.store()
            answer.post(getattr(member.model, port.var_name))
            return
        transformer = getattr(member.model, port.name)._transformer
        member.write(port.var_name, transformer.transform(value, asked))

    return serve


def _open_pipes(member: Member) -> None:
    """Channels to the user's own code, of ports that are flagged for it (Injector, Extractor)."""
    for name, port in member.builder.py_ports.items():
        declared = getattr(member.process, name)
        if not declared.external_pipe_flag:
            continue
        inwards = isinstance(declared, InPort)
        here, there = f"{member.name}.{name}", "the user's code"
        names = (there, here) if inwards else (here, there)
        pipe = Pipe(*names, port.shape, port.d_type, declared.external_pipe_buffer_size)
        member.pipes.append(pipe)
        if inwards:
            member.builder.set_csp_ports([ReceiveEnd(name, pipe)])
            declared.external_pipe_csp_send_port = SendEnd("src", pipe)
        else:
            member.builder.set_csp_ports([SendEnd(name, pipe)])
            declared.external_pipe_csp_recv_port = ReceiveEnd("dst", pipe)


def _open_wire(member: Member) -> None:
    """A VarWire makes its channel itself, where the user's code may be waiting already."""
    parameters = member.builder.proc_params
    wire = Wire(f"{member.name}.wire_tap", parameters["pm_to_p_src_port"])
    member.pipes.append(wire)
    parameters.overwrite("pm_to_p_src_port", SendEnd("src", wire))


def _built(builder: Any) -> Any:
    """The model; what Lava hands on unchanged is copied, so that the user's object stays."""
    model = builder.build()
    for name, given in builder.vars.items():
        value = getattr(model, name)
        if value is given.value and isinstance(value, (np.ndarray, spmatrix)):
            setattr(model, name, value.copy())
    return model
