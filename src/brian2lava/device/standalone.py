"""What users of Brian2's standalone mode have besides: build, run again, results in folders.

Here ``run()`` executes at once, so that nothing is left to build; ``device.run()`` repeats what was
recorded (:mod:`brian2lava.device.recording`), with other values if it is given some.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from brian2.core.network import Network
from brian2.core.variables import DynamicArrayVariable, VariableView
from brian2.devices.device import RuntimeDevice

from brian2lava.device import results
from brian2lava.device.recording import Recording, usable
from brian2lava.device.run_arguments import (
    Setting,
    apply,
    parse_run_args,
    timed_arrays_kept,
    variable_of_name,
)
from brian2lava.errors import NotSupported
from brian2lava.options import Options

#: Slots of ``device.insert_code`` in standalone mode, and what to write instead of C++ there.
SLOTS = {
    "before_start": "Python statements before the first Brian2 object is made",
    "after_start": "Python statements after the Brian2 objects are made",
    "before_network_run": "Python statements before run(...)",
    "main": "Python statements between the calls of run(...)",
    "after_network_run": "Python statements after run(...)",
    "before_end": "Python statements after the last run(...)",
    "after_end": "Python statements after the last run(...)",
}

#: Arguments of set_device with which a script says that it means to call ``device.run``.
_RITUAL = frozenset({"directory", "results_directory", "run_args"})


class StandaloneInterface(RuntimeDevice):
    """The methods; :class:`brian2lava.device.LavaDevice` is the device."""

    def __init__(self) -> None:
        super().__init__()
        self.recording = Recording(self)
        self._project_dir: str | None = None
        self._own_folder: str | None = None
        self._results_dir: str | None = None
        self._writes_results = False

    # ------------------------------------------------------------ set_device, reinit, delete
    def begin_project(self, build_on_run: bool, given: dict[str, Any]) -> None:
        """``set_device`` was called with the arguments ``given``."""
        asked_for = not build_on_run or not _RITUAL.isdisjoint(given)
        self.recording.clear(asked_for)
        self._project_dir = given.get("directory")
        self._results_dir = None
        self._writes_results = given.get("results_directory") is not None
        if self._writes_results:
            self._results_dir = self._absolute(given["results_directory"])

    def delete(
        self,
        data: bool = True,
        code: bool = True,
        run_args: bool = True,
        directory: bool = True,
        force: bool = False,
    ) -> None:
        """Delete results that were written (``data``) and the folder that was made for them.

        There is no code to delete. A folder with other files in it stays, unless ``force`` is set
        and the device itself made it.
        """
        if data and self._results_dir is not None and Path(self._results_dir).is_dir():
            results.delete(self, Path(self._results_dir))
        if directory and self._own_folder is not None:
            if force:
                shutil.rmtree(self._own_folder, ignore_errors=True)
            elif os.path.isdir(self._own_folder) and not os.listdir(self._own_folder):
                os.rmdir(self._own_folder)
            if not os.path.exists(self._own_folder):
                self._project_dir = self._own_folder = None

    # ------------------------------------------------------------ build and run
    def build(self, direct_call: bool = True, run: bool = True, **options: Any) -> None:
        """Nothing is left to build; with ``run_args`` the simulation runs again with these.

        Raises
        ------
        RuntimeError
            ``set_device`` was called without ``build_on_run=False``; as in standalone mode.
        NotSupported
            ``additional_source_files``, which come too late here.
        """
        if self.build_on_run and direct_call:
            raise RuntimeError(
                "device.build(): set_device('lava') was called with build_on_run=True (the"
                " default), so that run() has done everything. Leave device.build() out, or use"
                " set_device('lava', build_on_run=False)."
            )
        Options.parse(options)
        if options.get("additional_source_files"):
            raise NotSupported(
                "device.build(additional_source_files=...): the code has been compiled by run()."
                " Give them to set_device('lava', additional_source_files=...), or to the function"
                " that needs them: @implementation('cpp', ..., sources=...)."
            )
        if options.get("directory") is not None:
            self._project_dir = options["directory"]
        if run and options.get("run_args"):
            self.run(
                results_directory=options.get("results_directory"), run_args=options["run_args"]
            )
        elif run and options.get("results_directory") is not None:
            self._results_dir = self._absolute(options["results_directory"])
            results.write(self, Path(self._results_dir))

    def run(
        self,
        directory: str | None = None,
        results_directory: str | None = None,
        with_output: bool = True,
        run_args: Any = None,
    ) -> None:
        """Repeat the simulation from the state before its first run, with other values.

        Everything since then is done again: the calls of ``run()`` and what was set in between.
        After ``seed(x)`` each repetition draws the same random numbers; without it, others.

        Parameters
        ----------
        directory : str, optional
            Where ``results_directory`` and the files in ``run_args`` begin; else the directory
            given to ``set_device``, else a temporary one.
        results_directory : str, optional
            A relative path: the values of all arrays are written there (``device.results_dir``
            tells the whole path). ``device.read_results(results_directory)`` brings them back.
        with_output : bool
            With ``False``, no report is printed.
        run_args : dict or list, optional
            ``{G.tau: 5*ms, timed_array: values}`` or ``["group.tau=0.005", ...]``. They replace
            the values at the start, or where ``device.apply_run_args()`` was called.

        Raises
        ------
        NotSupported
            The simulation can't be repeated; the message says why and what to do.
        RuntimeError
            Nothing has run yet, or objects of the simulation are gone.
        """
        if directory is not None:
            self._project_dir = directory
        settings = parse_run_args(self, run_args)
        folder = None if results_directory is None else self._absolute(results_directory)

        def again(net: Network, arguments: dict[str, Any]) -> None:
            if not with_output:
                arguments = {**arguments, "report": silent(arguments["report"])}
            self.run_again(net, arguments)

        with timed_arrays_kept(settings):
            self.recording.repeat(lambda: apply(self, settings), again)
        if folder is not None:
            self._results_dir = folder
        if folder is not None or self._writes_results:
            assert self._results_dir is not None
            results.write(self, Path(self._results_dir))

    def run_again(self, net: Any, arguments: dict[str, Any]) -> None:
        """Run ``net``; the device does it.

        Raises
        ------
        NotImplementedError
            Always, here.
        """
        raise NotImplementedError

    def first_run_args(self) -> list[Setting]:
        """The ``run_args`` of ``set_device``, once the variables that they name are there."""
        given = self.build_options.get("run_args") if self.build_on_run else None
        return parse_run_args(self, given)

    def apply_run_args(self) -> None:
        """``run_args`` take effect here: what is set after this call can depend on them.

        Raises
        ------
        RuntimeError
            It was called before, or something has run.
        """
        if self.recording.begun:
            raise RuntimeError(
                "device.apply_run_args() can be called once only, before the first run."
            )
        self.recording.begin()
        with self.recording.paused():
            apply(self, self.first_run_args())

    def insert_code(self, slot: str, code: str) -> None:
        """C++ for the ``main`` function of a standalone project.

        Raises
        ------
        NotSupported
            Always: there is no such function here; the message says what to write instead.
        """
        instead = SLOTS.get(
            slot, f"Python statements (slots of standalone mode are {', '.join(SLOTS)})"
        )
        raise NotSupported(
            f"device.insert_code({slot!r}, ...): networks do not run in a program with a main"
            f" function here, so the slot {slot!r} does not exist. Use {instead}; for C++ in the"
            " model, a function with @implementation('cpp', ...); for something at each time step,"
            " @network_operation."
        )

    # ------------------------------------------------------------ results
    @property
    def project_dir(self) -> str:
        """Where results, and the files that ``run_args`` name, are; made if none was given."""
        if self._project_dir is None:
            self._own_folder = tempfile.mkdtemp(prefix="brian2lava-results-")
            self._project_dir = self._own_folder
        return self._project_dir

    def get_array_filename(self, var: Any, basedir: Any = None) -> str:
        """The name of a variable's file in ``results_dir``."""
        if basedir is not None:
            raise ValueError("Specifying 'basedir' is not supported.")
        return results.file_name(self, var)

    @property
    def results_dir(self) -> str | None:
        """The folder (absolute, with a separator at its end) of the values at hand.

        ``None`` as long as no ``results_directory`` was given.
        """
        return self._results_dir

    def read_results(self, results_directory: str) -> None:
        """Bring the values back that an earlier run wrote into ``results_directory``.

        Raises
        ------
        FileNotFoundError
            No run wrote its results there.
        """
        folder = os.path.join(self.project_dir, results_directory)
        with self.recording.paused():
            results.read(self, Path(folder))
        self._results_dir = os.path.join(os.path.abspath(folder), "")

    def write_results(self) -> None:
        """At the end of a run: write the values, if ``set_device`` was told to."""
        if self._writes_results and self._results_dir is not None:
            results.write(self, Path(self._results_dir))

    def _absolute(self, results_directory: str) -> str:
        if os.path.isabs(results_directory):
            raise TypeError(
                "The 'results_directory' argument needs to be a relative path but was"
                f" '{results_directory}'."
            )
        return os.path.join(os.path.abspath(os.path.join(self.project_dir, results_directory)), "")

    # ------------------------------------------------------------ what the recording hears of
    def variableview_set_with_index_array(
        self, view: VariableView, item: Any, value: Any, check_units: bool
    ) -> None:
        """``G.v = values``."""
        original = VariableView.set_with_index_array.original_function
        with self.recording.paused():
            original(view, item, value, check_units)
        if self.recording.listening:
            kept = value.copy() if hasattr(value, "copy") else value
            self.recording.note_change(
                f"{view.group_name}.{view.name}", lambda: original(view, item, kept, check_units)
            )

    def variableview_set_with_expression(
        self,
        view: VariableView,
        item: Any,
        code: str,
        run_namespace: Any,
        check_units: bool = True,
    ) -> None:
        """``G.v[item] = "expression"``."""
        original = VariableView.set_with_expression.original_function
        with self.recording.paused():
            original(view, item, code, run_namespace, check_units)
        self._note_expression(original, view, item, code, run_namespace, check_units)

    def variableview_set_with_expression_conditional(
        self,
        view: VariableView,
        cond: str,
        code: str,
        run_namespace: Any,
        check_units: bool = True,
    ) -> None:
        """``G.v["condition"] = "expression"``."""
        original = VariableView.set_with_expression_conditional.original_function
        with self.recording.paused():
            original(view, cond, code, run_namespace, check_units)
        self._note_expression(original, view, cond, code, run_namespace, check_units)

    def _note_expression(
        self,
        original: Any,
        view: VariableView,
        item: Any,
        code: str,
        run_namespace: Any,
        check_units: bool,
    ) -> None:
        if self.recording.listening:
            namespace = usable(run_namespace)
            self.recording.note_change(
                f"{view.group_name}.{view.name}",
                lambda: original(view, item, code, namespace, check_units),
            )

    def variableview_get_with_index_array(self, view: VariableView, item: Any) -> Any:
        """``G.v[item]``."""
        self._note_read(view)
        return VariableView.get_with_index_array.original_function(view, item)

    def variableview_get_with_expression(
        self, view: VariableView, code: str, run_namespace: Any
    ) -> Any:
        """``G.v["condition"]``."""
        self._note_read(view)
        return VariableView.get_with_expression.original_function(view, code, run_namespace)

    def variableview_get_subexpression_with_index_array(
        self, view: VariableView, item: Any, run_namespace: Any
    ) -> Any:
        """``G.x[item]`` where x is a subexpression."""
        self._note_read(view)
        return VariableView.get_subexpression_with_index_array.original_function(
            view, item, run_namespace
        )

    def _note_read(self, view: VariableView) -> None:
        if not getattr(view.variable, "constant", False):
            self.recording.note_read(f"{view.group_name}.{view.name}")

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        """The array of a variable; a copy that came from another process means the original."""
        if isinstance(var, DynamicArrayVariable) and var.ndim == 2:
            self.recording.note_read(f"{var.owner.name}.{var.name}")
        if var not in self.arrays:
            var = variable_of_name(self, _name(var)) or var
        return super().get_value(var, access_data)

    def fill_with_array(self, var: Any, arr: Any) -> None:
        """``variable.set_value(values)``."""
        super().fill_with_array(var, arr)
        if self.recording.listening:
            kept = arr.copy() if hasattr(arr, "copy") else arr
            self.recording.note_change(
                _name(var), lambda: super(StandaloneInterface, self).fill_with_array(var, kept)
            )

    def resize(self, var: Any, new_size: Any) -> None:
        """``variable.resize(size)``."""
        super().resize(var, new_size)
        if self.recording.listening:

            def again() -> None:
                super(StandaloneInterface, self).resize(var, new_size)
                var.size = new_size

            self.recording.note_change(_name(var), again)

    def network_restore(self, net: Any, *args: Any, **kwds: Any) -> Any:
        """``net.restore(...)``: what is restored was made by another run than a repetition's."""
        result = Network.restore.original_function(net, *args, **kwds)
        if self.recording.begun:
            self.recording.refuse(
                "restore() was called. Use restore() in place of device.run(): set the values, and"
                " call run(...) again."
            )
        return result


def _name(variable: Any) -> str:
    return f"{getattr(variable.owner, 'name', 'an array')}.{variable.name}"


def silent(report: Any) -> Any:
    """``report`` without what would be printed."""
    return None if report in ("text", "stdout") else report
