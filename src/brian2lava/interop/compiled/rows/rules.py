"""Lava's learning rules in the words of ``operations/rules.hpp``.

Lava has parsed them: a rule is a series of products, a product has a gate ("dependency"), a scale
and factors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.learning.constants import (
    FACTOR_TO_WIDTH_DICT,
    W_ACCUMULATOR_U,
    W_S_MANT,
)

from brian2lava.interop.compiled.kit import Kit, Unfit
from brian2lava.interop.compiled.library import Operation

_TARGETS = ("weights", "tag_2", "tag_1")
_GATES = {"x0": 0, "y0": 1, "u": 2}
_TRACES = ("x1", "x2", "y1", "y2", "y3")
_SYNAPTIC = ("w", "d", "t")
_FACTORS = {name: code for code, name in enumerate((*_TRACES, *_SYNAPTIC, "x0", "y0", "C"))}
_WHOLE, _REAL, _SIGN = 1, 2, 4


class Rules:
    """The rules of one model, as words and constants.

    Attributes
    ----------
    targets : tuple of str
        Variables that have a rule.
    watched : int
        Bit k: trace k is in a rule.
    """

    def __init__(self, kit: Kit, sparse: bool = False) -> None:
        self._kit = kit
        self._sparse = sparse
        self._words: dict[str, list[int]] = {}
        self._constants: dict[str, list[float]] = {}
        self._gates: dict[str, int] = {}
        self._decimation = 0
        self.watched = 0
        self.read()

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self._words)

    def read(self) -> None:
        """Take the rules that the model has now.

        Raises
        ------
        Unfit
            One is not computed exactly.
        """
        model = self._kit.model
        self._words, self._constants, self._gates, self.watched = {}, {}, {}, 0
        for target, applier in model._learning_rule_appliers.items():
            self._words[target], self._constants[target], self._gates[target] = [], [], 0
            self._write(target, applier._product_series.products)
        exponent = model._learning_rule.decimate_exponent
        self._decimation = 0 if exponent is None else 2 ** int(exponent)

    def _write(self, target: str, products: Any) -> None:
        words = self._words[target]
        words += [_TARGETS.index(target), len(products)]
        for product in products:
            gate = _GATES[product.dependency]
            self._gates[target] |= 1 << gate
            if int(product.s_mantissa) != product.s_mantissa:
                raise Unfit(f"a scale {product.s_mantissa} in the rule of {target}")
            bits = sum(FACTOR_TO_WIDTH_DICT[factor.state_var] for factor in product.factors)
            shift = max(0, bits + W_S_MANT - W_ACCUMULATOR_U)
            words += [gate, int(product.s_mantissa), int(product.s_exp), shift]
            words.append(len(product.factors))
            for factor in product.factors:
                self._write_factor(target, factor)

    def _write_factor(self, target: str, factor: Any) -> None:
        name = factor.state_var
        if self._sparse and name in _SYNAPTIC:
            raise Unfit(
                f"{name} is a factor in the rule of {target}; Lava multiplies sparse matrices as"
                " matrices there, or fails"
            )
        if name in _TRACES:
            self.watched |= 1 << _TRACES.index(name)
        constant, form = 0, 0
        if factor.has_const():
            constant = factor.const
            form = _WHOLE if constant == int(constant) else _REAL
        bits = FACTOR_TO_WIDTH_DICT[name]
        self._words[target] += [_FACTORS[name], bits, form | factor.is_sgn * _SIGN]
        self._constants[target].append(float(constant))

    @staticmethod
    def empty() -> dict[str, Any]:
        """Fields of operations that :meth:`give` sets."""
        return {"decimation": 0, "gates": 0, "code": None, "constants": None}

    def give(self, operation: Operation, targets: tuple[str, ...]) -> None:
        """Set the fields of an operation that applies the rules of ``targets``."""
        gates = 0
        for target in targets:
            gates |= self._gates[target]
        words = [word for target in targets for word in self._words[target]]
        constants = [number for target in targets for number in self._constants[target]]
        operation.set("decimation", self._decimation)
        operation.set("gates", gates)
        operation.set("code", np.array(words, np.int64))
        operation.set("constants", np.array(constants, np.float64))
