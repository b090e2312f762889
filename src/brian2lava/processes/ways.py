"""What one process of a graph of Brian2 objects is told before it starts: plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PortPlan:
    """A port: its name, how many numbers a message has, and their type ("int32", "int64")."""

    name: str
    size: int
    dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of a message: events follow their number."""
        return 8 + 4 * self.size


@dataclass(frozen=True)
class Pass:
    """Run a pass of the program, if its clock is due."""

    number: int


@dataclass(frozen=True)
class SendEvents:
    """Send the events of a group (the array's id), as its event space has them."""

    port: str
    array: str


@dataclass(frozen=True)
class ReceiveEvents:
    """Receive them into a copy of one's own."""

    port: str
    array: str


@dataclass(frozen=True)
class Tell:
    """Send that all is done up to here."""

    port: str


@dataclass(frozen=True)
class Hear:
    """Wait for that."""

    port: str


Step = Pass | SendEvents | ReceiveEvents | Tell | Hear


@dataclass(frozen=True)
class Way:
    """One process: its name, its ports, and what it does in a step, in order."""

    name: str
    inputs: tuple[PortPlan, ...]
    outputs: tuple[PortPlan, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Connection:
    """From an output port of one process to an input port of another, by place and name."""

    sender: int
    output: str
    receiver: int
    input: str


@dataclass(frozen=True)
class Graph:
    """All processes and the connections between them."""

    ways: tuple[Way, ...]
    connections: tuple[Connection, ...]
