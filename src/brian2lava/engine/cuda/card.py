"""What a runner asks of a card: memory, and launches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

#: A kernel by name, and how many blocks of it are launched.
Launch = tuple[str, int]


class Card(Protocol):
    """A card with one program on it. Addresses are the card's."""

    @property
    def threads(self) -> int:
        """Threads in a block."""
        ...

    @property
    def most_blocks(self) -> int:
        """Blocks that run at the same time; more wait."""
        ...

    def free(self) -> int:
        """Bytes that can be allocated yet."""
        ...

    def allocate(self, nbytes: int) -> int:
        """The address of so many zeroed bytes.

        Raises
        ------
        MemoryError
            Says what was needed and what there is.
        """
        ...

    def release(self, address: int) -> None:
        """Give them back."""
        ...

    def write(self, address: int, values: NDArray[Any]) -> None:
        """Copy a contiguous array to the card."""
        ...

    def read(self, address: int, into: NDArray[Any]) -> None:
        """Copy from the card into a contiguous array, after all that was launched."""
        ...

    def set_constants(self, values: NDArray[np.int64]) -> None:
        """Give the program its context, after all that was launched."""
        ...

    def sequence(self, launches: Sequence[Launch], state: int) -> Callable[[], None]:
        """What launches kernels one after the other, each time it is called."""
        ...

    def finish(self) -> None:
        """Wait for all that was launched."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
