"""What ``Var.get`` and ``Var.set`` do with a model's variable.

As in Lava, values travel as float64. Other than there, numbers that are no arrays can be read and
written too (Lava's ``get`` of a float waits for ever), and whole numbers stay whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.utils.sparse import find
from scipy.sparse import csr_matrix

from brian2lava.errors import NotSupported


def read(value: Any, shape: tuple[int, ...], init: Any = None) -> Any:
    """The values of a variable as float64: of ``shape`` if they fill it.

    Sparse matrices give their values at the entries of ``init``, where ``Var.get`` puts them
    (fewer bits can make entries zero, and Lava's models drop them), strings the codes of their
    letters.
    """
    if isinstance(value, csr_matrix):
        target, source, _ = find(init if isinstance(init, csr_matrix) else value)
        if not len(target):
            return np.zeros(0)
        return np.asarray(value[target, source], np.float64).reshape(-1)
    if isinstance(value, str):
        return np.array(list(value.encode("ascii")), np.float64)
    numbers = np.array(value, np.float64)
    return numbers.reshape(shape) if numbers.size == np.prod(shape, dtype=int) else numbers


def written(value: Any, new: Any) -> Any:
    """The variable after ``new`` was written: the same array, or another object.

    Raises
    ------
    NotSupported
        Nothing of this type can be written.
    """
    items = np.asarray(new, np.float64).ravel()
    if isinstance(value, np.ndarray):
        size = min(value.size, items.size)
        value.flat[:size] = items[:size]
        return value
    if isinstance(value, csr_matrix):
        target, source, _ = find(value, explicit_zeros=True)
        whole = np.issubdtype(value.dtype, np.integer) and bool(np.all(items == np.floor(items)))
        return csr_matrix((items.astype(value.dtype) if whole else items, (target, source)),
                          value.shape)  # fmt: skip
    if isinstance(value, str):
        return bytes(items.astype(int).tolist()).decode("ascii")
    if isinstance(value, (bool, int, float, np.generic)):
        number = float(items[0])
        whole = isinstance(value, (int, np.integer)) and number.is_integer()
        return int(number) if whole else number
    raise NotSupported(
        f"a variable of type {type(value).__name__} can't be set; arrays, sparse matrices, numbers"
        " and strings can."
    )
