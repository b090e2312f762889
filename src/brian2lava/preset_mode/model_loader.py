"""Preset models by name: ``from brian2lava.preset_mode.model_loader import lif``.

The eleven models can be imported at any time. ``set_device("lava", models_dir=...)`` adds those of
a folder; one of the same name takes the place of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brian2lava.preset_mode.model_directory import read_directory
from brian2lava.preset_mode.models import PRESETS
from brian2lava.preset_mode.preset_model import PresetModel

__all__ = ["ModelLoader", "read_models", *PRESETS]

_added: dict[str, PresetModel] = {}


def read_models(folder: str | Path | None) -> None:
    """Add the models of a folder, in place of those added before; None takes these away.

    Raises
    ------
    OptionError
        See :func:`brian2lava.preset_mode.model_directory.read_directory`.
    """
    found = {} if folder is None else read_directory(folder)
    _added.clear()
    _added.update(found)


class ModelLoader:
    """The models that can be imported, as a list."""

    @staticmethod
    def models() -> tuple[PresetModel, ...]:
        """All models, those of ``models_dir`` last."""
        return tuple({**PRESETS, **_added}.values())

    @staticmethod
    def available_preset_models() -> None:
        """Print a line a model: its name, and the chip's neuron that computes it."""
        for model in ModelLoader.models():
            print(f"{model.name} -- {model.place}")


def __getattr__(name: str) -> Any:
    found = _added.get(name) or PRESETS.get(name)
    if found is None:
        known = ", ".join(model.name for model in ModelLoader.models())
        raise AttributeError(
            f"brian2lava has no preset model '{name}'. There are: {known}. More are read with"
            " set_device('lava', models_dir=...)."
        )
    return found


def __dir__() -> list[str]:
    return [*globals(), *(model.name for model in ModelLoader.models())]
