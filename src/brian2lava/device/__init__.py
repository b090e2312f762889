"""The Brian2 device ``"lava"``: hooks only.

State lives in NumPy arrays over the arena, so everything before and after ``run()`` is Brian2's
own; only the run loop is ours (:mod:`brian2lava.device.run`).
"""

from __future__ import annotations

import itertools
import secrets
import warnings
import weakref
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.names import find_name
from brian2.core.namespace import get_local_namespace
from brian2.core.network import Network
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.devices.device import all_devices
from brian2.units import check_units, second

from brian2lava.capture.code_object import (
    LOOP_TEMPLATES,
    LoopCodeObject,
    has_native_functions,
    translate,
)
from brian2lava.capture.python_functions import add_numpy_implementations
from brian2lava.chip.neuron_picture import BitByBit
from brian2lava.chip.verify import Verification
from brian2lava.device.chip_report import neuron_of, verify_run
from brian2lava.device.chip_runs import ChipRuns, Kept
from brian2lava.device.compiler import compiler_path
from brian2lava.device.loaded import Runs
from brian2lava.device.mirrors import Mirrors, on_twins
from brian2lava.device.other_steps import time_steps
from brian2lava.device.parts import Planned
from brian2lava.device.preferences import check_preferences, preferred_threads
from brian2lava.device.queues import PathwayQueue
from brian2lava.device.random_streams import RandomStreams
from brian2lava.device.refused import called_by_set_device, go_back
from brian2lava.device.run import run_network
from brian2lava.device.run_arguments import apply
from brian2lava.device.setup import compiled_setup
from brian2lava.device.standalone import StandaloneInterface, silent
from brian2lava.engine.memory import GrowingArray, arena
from brian2lava.errors import NotSupported
from brian2lava.options import CHIPS, Options
from brian2lava.preset_mode.model_loader import ModelLoader, read_models
from brian2lava.processes.drawing import Drawing
from brian2lava.program.step_program import StepProgram
from brian2lava.program.text import as_text
from brian2lava.report import Report

if TYPE_CHECKING:
    from brian2lava.interop.plug.brian_group import BrianGroup

__all__ = ["LavaDevice", "lava_device"]

#: Templates that resize our arrays while they hold on to them: Brian2's Cython code cannot.
CREATE_SYNAPSES = frozenset({"synapses_create_generator", "synapses_create_array"})


class LavaDevice(StandaloneInterface):
    """Runs Brian2 networks in compiled code inside Lava processes."""

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[str, weakref.WeakSet[ArrayVariable]] = {}
        self._suffixes: weakref.WeakKeyDictionary[ArrayVariable, int] = weakref.WeakKeyDictionary()
        self._numbers = itertools.count(1)
        self.options = Options()
        self._given_threads: int | None = None
        self.build_on_run = True
        self.build_options: dict[str, Any] = {}
        self.mirrors = Mirrors(self.arrays)
        self.random = RandomStreams()
        self.runs = Runs()
        self.chip_runs = ChipRuns()
        self.last_program: StepProgram | None = None
        self.last_parts: Planned | None = None
        self._plugs: Any = None
        self._last_report: Report | None = None
        self._last_run_time = 0.0
        self._last_run_completed_fraction = 0.0

    def __reduce__(self) -> str:
        """Pickled by name: there is one a process."""
        return "lava_device"

    # ------------------------------------------------------------ life of the device
    def activate(self, build_on_run: bool = True, **kwargs: Any) -> None:
        """``set_device("lava", ...)``: see :class:`brian2lava.options.Options`."""
        chosen = called_by_set_device()
        try:
            options = Options.parse(kwargs)
            read_models(kwargs.get("models_dir"))
        except Exception:
            if chosen:
                go_back()
            raise
        self.options = options
        if kwargs.get("print_models"):
            ModelLoader.available_preset_models()
        self._given_threads = kwargs.get("threads")
        self.__dict__.pop("engine_notes", None)
        super().activate(build_on_run, **kwargs)
        self.begin_project(build_on_run, kwargs)
        if self.options.seed is not None:
            self.seed(self.options.seed)

    def reinit(self) -> None:
        """Forget the loaded programs and what was recorded; as often as one likes."""
        self.runs.forget()
        self.chip_runs.forget()
        self.recording.clear()

    def report(self, dt_scan: Any = False) -> Report:
        """Where and how the last run was made; ``dt_scan`` as in :func:`brian2lava.report`.

        Raises
        ------
        RuntimeError
            Nothing has run yet.
        OptionError
            A scan of what is no time, or of a run that was not in a chip's integers.
        """
        if self._last_report is None:
            raise RuntimeError("device.report(): nothing has run on the device 'lava' yet.")
        if dt_scan is False or dt_scan is None:
            return self._last_report
        return self._last_report.scanned(None if dt_scan is True else time_steps(dt_scan))

    def program_text(self) -> str:
        """The step program of the last run as text: what is done in a step, in which order.

        Raises
        ------
        RuntimeError
            No compiled program has run yet.
        """
        if self.last_program is None:
            raise RuntimeError(
                "device.program_text(): no program has run on the device 'lava' yet."
            )
        return as_text(self.last_program)

    def draw(self) -> Drawing:
        """The graph of the last run with ``granularity="object"``; see :func:`brian2lava.draw`.

        Raises
        ------
        RuntimeError
            No network has run so.
        """
        if self.last_parts is None:
            raise RuntimeError(
                "draw(): no network has run as a graph of processes. Call set_device('lava',"
                " granularity='object') and run(...) first."
            )
        drawn = self.last_parts.drawing()
        if self._plugs is None:
            return drawn
        return replace(drawn, text=drawn.text + self._plugs.described(self.last_parts.objects))

    # ------------------------------------------------------------ other Lava processes
    def process(self, group: Any, run_cfg: Any = None) -> BrianGroup:
        """The Lava process of a Brian2 group, whose ports any Lava process can be connected to.

        ``process(G).s_out.connect(dense.s_in)`` sends the group's spikes, and
        ``lif.s_out.connect(process(H).into("v", unit=mV))`` adds to a variable; ``run(duration)``
        runs all of it. See :class:`brian2lava.interop.plug.brian_group.BrianGroup`.

        Parameters
        ----------
        group : Brian2 group
            Or a subgroup, or Synapses (for their variables).
        run_cfg : RunConfig, optional
            Chooses the models of the Lava processes, as in ``lif.run(..., run_cfg=...)``. Without
            it ``brian2lava.CompiledCfg()``, which chooses what ``Loihi2SimCfg()`` does. Once for
            a graph of connected processes is enough.

        Raises
        ------
        NotSupported
            Lava can't be imported, or the object has no ports.
        """
        if self._plugs is None:
            from brian2lava.interop.plug import Plugs

            self._plugs = Plugs()
        self.recording.refuse("A group has a Lava process, which can't be set back.")
        process: BrianGroup = self._plugs.process(group, run_cfg)
        return process

    def refuse_plugged(self, net: Any, what: str) -> None:
        """Raise NotSupported if groups of ``net`` are connected to Lava processes."""
        if self._plugs is not None:
            self._plugs.refuse(net, what)

    # ------------------------------------------------------------ arrays
    def add_array(self, var: ArrayVariable) -> None:
        """Place an array in the arena."""
        if isinstance(var, DynamicArrayVariable):
            self.arrays[var] = GrowingArray(var.size, var.dtype)
        else:
            dtype = np.dtype(var.dtype)
            block = arena().allocate(max(1, int(var.size)) * dtype.itemsize)
            self.arrays[var] = block.array(dtype, int(var.size))

    def get_capsule(self, var: DynamicArrayVariable) -> Any:
        """A C++ twin of a dynamic array, for Brian2's Cython code (from 2.10 on)."""
        return self.mirrors.capsule(var)

    def get_array_name(self, var: ArrayVariable, access_data: bool = True) -> str:
        """A name that no other array has: the two ``delay`` of a Synapses differ, too."""
        name = super().get_array_name(var, access_data)
        if var not in self._suffixes:
            owners = self._named.setdefault(name, weakref.WeakSet())
            if len(owners) == 0 or var in owners:
                owners.add(var)
                return name
            self._suffixes[var] = next(self._numbers)
        return f"{name}_{self._suffixes[var]}"

    def spike_queue(self, source_start: int, source_end: int) -> PathwayQueue:
        """The queue of a new pathway."""
        queue = PathwayQueue(source_start, source_end)
        if self.engine == "numpy":
            queue.run_in_python()
        return queue

    # ------------------------------------------------------------ the engine
    @property
    def engine(self) -> str:
        """ "cpu", "cuda", or "numpy" where that was asked for or there is no compiler."""
        return "numpy" if self.engine_notes else self.options.engine

    @cached_property
    def engine_notes(self) -> list[str]:
        """Why networks run in NumPy although compiled code was asked for."""
        if self.options.engine == "numpy" or compiler_path() is not None:
            return []
        note = (
            "No C++ compiler was found, so networks run in NumPy, which is slow. Install g++"
            " (Debian and Ubuntu: apt install g++; macOS: xcode-select --install)."
        )
        warnings.warn(note, RuntimeWarning, stacklevel=2)
        return [note]

    # ------------------------------------------------------------ code
    def code_object_class(
        self, codeobj_class: Any = None, fallback_pref: str = "codegen.target"
    ) -> Any:
        """Ours, unless a class is passed or a preference for something special names a target."""
        special = fallback_pref != "codegen.target" and prefs[fallback_pref] is not None
        if codeobj_class is None and not special:
            return NumpyCodeObject if self.engine == "numpy" else LoopCodeObject
        return super().code_object_class(codeobj_class, fallback_pref)

    def code_object(
        self,
        owner: Any,
        name: str,
        abstract_code: dict[str, str],
        variables: dict[str, Any],
        template_name: str,
        variable_indices: Any,
        codeobj_class: Any = None,
        template_kwds: Any = None,
        override_conditional_write: Any = None,
        compiler_kwds: Any = None,
    ) -> Any:
        """Statements for the engine in the loop; NumPy code for everything else."""
        codeobj_class = self.code_object_class(codeobj_class)

        def with_numpy(numpy_name: str) -> Any:
            add_numpy_implementations(variables)
            return super(LavaDevice, self).code_object(
                owner,
                numpy_name,
                abstract_code,
                dict(variables),
                template_name,
                variable_indices,
                codeobj_class=NumpyCodeObject,
                template_kwds=template_kwds,
                override_conditional_write=override_conditional_write,
                compiler_kwds={},
            )

        if self.engine != "numpy" and codeobj_class in (LoopCodeObject, NumpyCodeObject):
            compiled = compiled_setup(
                self,
                owner,
                name,
                abstract_code,
                variables,
                variable_indices,
                template_name,
                template_kwds,
                override_conditional_write,
            )
            if compiled is not None:
                return compiled
        if codeobj_class is not LoopCodeObject:
            if template_name == "synapses_push_spikes":
                owner.queue.run_in_python()
            if issubclass(codeobj_class, CythonCodeObject):
                if template_name in CREATE_SYNAPSES:
                    return with_numpy(name)
                codeobj_class = on_twins(codeobj_class)
            return super().code_object(
                owner,
                name,
                abstract_code,
                variables,
                template_name,
                variable_indices,
                codeobj_class=codeobj_class,
                template_kwds=template_kwds,
                override_conditional_write=override_conditional_write,
                compiler_kwds=compiler_kwds,
            )
        if template_name not in LOOP_TEMPLATES:
            return with_numpy(name)
        name = find_name(name)
        statements, tables = None, dict[str, Any]()
        if has_native_functions(variables):
            blocks, tables = translate(
                owner,
                name,
                abstract_code,
                variables,
                variable_indices,
                template_name,
                override_conditional_write,
                prefs["core.default_float_dtype"],
            )
            (statements,) = blocks.values()
        code = LoopCodeObject(
            owner,
            name,
            variables,
            variable_indices,
            template_name,
            dict(template_kwds or {}),
            abstract_code,
            statements,
            tables,
            compiler_kwds or {},
            lambda: with_numpy(f"{name}_in_python"),
        )
        code.compile()
        return code

    # ------------------------------------------------------------ random numbers
    def seed(self, seed: int | None = None) -> None:
        """Start all random streams anew: the engine's, and NumPy's for set-up code."""
        super().seed(seed)
        if seed is None:
            self.random.seed(secrets.randbits(64), given=False)
        else:
            self.random.seed(int(seed))
        self.recording.note_change("the seed", lambda: self.seed(seed), constant=True)

    def get_random_state(self) -> dict[str, Any]:
        """NumPy's state and how far the engine's streams are."""
        return {**super().get_random_state(), "brian2lava": self.random.state()}

    def set_random_state(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`get_random_state`."""
        super().set_random_state(state)
        if "brian2lava" in state:
            self.random.set_state(state["brian2lava"])

    # ------------------------------------------------------------ the chip
    def verify(
        self, net: Any = None, steps: int | None = None, lava: bool | None = None
    ) -> Verification:
        """How far a chip's integers are from floating point: the last run again, in both.

        Parameters
        ----------
        net : Network, optional
            Without it the network that ran last.
        steps : int, optional
            Of the last run; at most 10,000 without it.
        lava : bool, optional
            Whether Lava's own simulation runs the same integers too; without it small networks do,
            for at most 200 steps.

        Raises
        ------
        RuntimeError
            Nothing has run in a chip's integers yet.
        """
        return verify_run(self._kept("device.verify()", net), steps, lava)

    def bit_by_bit(
        self,
        group: Any = None,
        neuron: int = 0,
        steps: int | None = None,
        at: int | None = None,
    ) -> BitByBit:
        """One neuron of the last run, bit by bit; see :func:`brian2lava.bit_by_bit`.

        Raises
        ------
        RuntimeError
            Nothing has run in a chip's integers yet.
        OptionError
            There is no such group, neuron or step.
        NotSupported
            matplotlib is not installed.
        """
        return neuron_of(self._kept("bit_by_bit()"), group, neuron, steps, at)

    def _kept(self, what: str, net: Any = None) -> Kept:
        kept = self.chip_runs.last if net is None else self.chip_runs.of(net)
        if kept is None:
            raise RuntimeError(
                f"{what}: nothing has run in a chip's integers yet (a run of no steps leaves"
                " nothing to look at). Call set_device('lava', hardware='Loihi2') and run(...)"
                " first."
            )
        return kept

    # ------------------------------------------------------------ store and restore
    def network_store(self, net: Any, name: str = "default", filename: str | None = None) -> Any:
        """``net.store(...)``; with a chip its integers too, in memory."""
        if self._plugs is not None:
            self._plugs.refuse_store(net)
        if self.options.hardware in CHIPS:
            _refuse_file("store", net, filename)
            self.chip_runs.store(net, name)
        return Network.store.original_function(net, name, filename)

    def network_restore(self, net: Any, *args: Any, **kwds: Any) -> Any:
        """``net.restore(...)``; with a chip its integers too."""
        result = super().network_restore(net, *args, **kwds)
        if self._plugs is not None:
            self._plugs.rewind(net)
        if self.options.hardware in CHIPS:
            given = dict(zip(("name", "filename"), args, strict=False)) | kwds
            _refuse_file("restore", net, given.get("filename"))
            self.chip_runs.restore(net, given.get("name", "default"))
        return result

    # ------------------------------------------------------------ the run
    @check_units(duration=second, report_period=second)
    def network_run(
        self,
        net: Any,
        duration: Any,
        report: Any = None,
        report_period: Any = 10 * second,
        namespace: Any = None,
        profile: bool | None = None,
        level: int = 0,
        **kwds: Any,
    ) -> None:
        """Runs a network; as ``Network.run``."""
        if kwds:
            raise TypeError(f"run() got an unexpected keyword argument '{next(iter(kwds))}'")
        if namespace is None:
            namespace = get_local_namespace(level=level + 3)
        if profile is None:
            profile = bool(self.build_options.get("profile", False))
        if self.build_options.get("with_output") is False:
            report = silent(report)
        arguments = {
            "duration": duration,
            "report": report,
            "report_period": report_period,
            "namespace": namespace,
            "profile": bool(profile),
        }
        first = not self.recording.begun
        self.recording.note_run(net, arguments)
        with self.recording.paused():
            if first:
                apply(self, self.first_run_args())
            try:
                self.run_again(net, arguments)
            except BaseException as problem:
                self.recording.refuse(f"a run ended with {type(problem).__name__}.")
                raise
        self.write_results()

    def run_again(self, net: Any, arguments: dict[str, Any]) -> None:
        """Run ``net`` with the arguments of :meth:`network_run`, complete."""
        check_preferences()
        self.options = replace(self.options, threads=self._given_threads or preferred_threads())
        if self._plugs is not None:
            self._plugs.prepare(net, self.options)
        run_network(self, net, *arguments.values())


def _refuse_file(what: str, net: Any, filename: str | None) -> None:
    if filename is not None:
        raise NotSupported(
            f"'{net.name}'.{what}(filename={filename!r}): the integers of a chip are stored in"
            " memory only; leave filename out, or use set_device('lava', hardware='CPU',"
            " num_repr='float')."
        )


# brian2modelfitting tells runtime devices by the name of their class.
LavaDevice.__name__ = "RuntimeDevice"
lava_device = LavaDevice()
all_devices["lava"] = lava_device
