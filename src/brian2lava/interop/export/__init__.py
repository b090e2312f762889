"""A chip network as a folder that runs with lava-nc alone.

``run.py`` has a section for each group and each projection: processes of Lava's library, with their
quantised parameters as data, and where that lacks something in fixed point (refractoriness, two
currents, moving thresholds, learning by the network's own synapses, other arithmetics), a Lava
process of the package's own, written in NumPy from the chip model's definition.
"""

from __future__ import annotations

from typing import Any

from brian2lava.interop.export.folder import LavaPackage, check_folder, write_package
from brian2lava.interop.export.given import Given, given
from brian2lava.interop.export.last_run import last_run
from brian2lava.interop.export.script import package

__all__ = ["Given", "LavaPackage", "export_lava", "export_run", "given"]


def export_lava(directory: Any, network: Any = None, *, force: bool = False) -> LavaPackage:
    """Write the last run on a chip as a package of Lava processes.

    Parameters
    ----------
    directory : str or Path
        A folder that is empty, or not there yet.
    network : Network, optional
        Without it the network that ran last.
    force : bool
        Whether the folder may hold something; files of an earlier export are replaced.

    Returns
    -------
    LavaPackage
        ``script`` is what runs it.

    Raises
    ------
    NotSupported
        Nothing ran on a chip from the beginning, or what ran is too large, or learns by a rule that
        is not written out: the message names it.
    OptionError
        The folder is not empty.
    """
    return export_run(last_run(network), directory, force=force)


def export_run(run: Given, directory: Any, *, force: bool = False) -> LavaPackage:
    """Write any chip network with the run that :func:`given` made of it; see :func:`export_lava`.

    >>> export_run(given(network, steps=100), "folder")  # doctest: +SKIP
    """
    path = check_folder(directory, force)
    made = package(run)
    return write_package(made, path)
