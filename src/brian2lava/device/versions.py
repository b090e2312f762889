"""What differs between the versions of Brian2 that we serve (2.9 to 2.11), in one place.

Everything else asks the objects themselves: a clock whether it has a ``dt``, a template for its
variables.
"""

from __future__ import annotations

from typing import Any

from brian2.codegen.generators.GSL_generator import GSLCythonCodeGenerator
from brian2.core.preferences import prefs
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.device import RuntimeDevice

#: From 2.10 on Cython code reaches dynamic arrays through capsules.
HAS_CAPSULES = hasattr(RuntimeDevice, "get_capsule")


def reports_unused_objects() -> bool:
    """Whether Brian2 warns of objects that are in no network; from 2.11 on users can choose."""
    name = "logging.warn_for_unused_objects"
    return bool(prefs[name]) if name in prefs else True


class GSLGenerator(GSLCythonCodeGenerator):
    """Brian2's generator of GSL integrators, with 2.10's mistake put right.

    2.10 reads dynamic arrays (the variables of a Synapses object) from buffers that it does not
    declare; the pointers are there under the arrays' names, as 2.11 uses them.
    """

    def unpack_namespace_single(self, var_obj: Any, in_vector: bool, in_scalar: bool) -> str:
        """The lines that hand one variable to the integrator."""
        if isinstance(var_obj, DynamicArrayVariable):
            name = self.generator.get_array_name(var_obj)
            return f"_GSL_dataholder.{name} = {name}" if in_vector else ""
        lines: str = super().unpack_namespace_single(var_obj, in_vector, in_scalar)
        return lines
