"""The Brian2 equations on the pages of the chip's models become these models."""

from __future__ import annotations

from typing import Any

import brian2
import pytest

from brian2lava.chip.models import MODELS
from brian2lava.chip.recognise import population_map
from brian2lava.chip.recognise.match import match
from tests.networks.devices import reference
from tools.model_scripts import DRIVEN, REMARKS, SCRIPTS


def test_each_model_has_equations_or_the_reason_why_not() -> None:
    assert SCRIPTS.keys() == MODELS.keys()
    assert all(name in REMARKS for name, script in SCRIPTS.items() if script is None)


@pytest.mark.parametrize("model", [name for name, script in SCRIPTS.items() if script is not None])
def test_the_equations_of_a_page_become_its_model(model: str) -> None:
    script = SCRIPTS[model]
    assert script is not None
    with reference():
        names: dict[str, Any] = {}
        exec(f"from brian2 import *\n{script}", names)
        group = names["group"]
        brian2.Network(group)
        found = match(population_map(group, {}), DRIVEN.get(model, ("I",)))
    assert found.population.model == model
    for variable in DRIVEN.get(model, ("I",)):
        assert f"{variable} += " in script and variable in found.ports
