"""The process that joins all parts of an exported network and keeps their spikes."""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.interop.export.module_text import head, model_head

#: The class, and the module that it is in.
PROCESS, MODULE = "SpikeRecorder", "spike_recorder"

_START = """
    def __init__(self, *, steps, path, name="recorder"):
        super().__init__(steps=steps, path=path, name=name)"""

_STEP = '''
    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.steps, self.path = proc_params["steps"], proc_params["path"]
        self.found = {name: [] for name in self.NAMES}

    def run_spk(self):
        """One time step; Lava counts them from 1."""
        for name in self.NAMES:
            spikes = getattr(self, f"from_{name}").recv()
            self.found[name] += [(self.time_step - 1, i) for i in np.flatnonzero(spikes)]
        if self.time_step == self.steps:
            rows = {name: np.array(found, int).reshape(-1, 2) for name, found in self.found.items()}
            np.savez_compressed(self.path, **rows)'''


def module(sizes: Mapping[str, int]) -> str:
    """The text of the module.

    Parameters
    ----------
    sizes : dict of str to int
        How many neurons there are of each identifier that is recorded.
    """
    doc = [
        f"{PROCESS}: listens to all neurons, and writes who fired when.",
        "",
        "Lava runs what ports join; this process joins also what no synapse does.",
    ]
    lines = head(doc, outputs=False)
    lines += [
        "",
        "",
        f"class {PROCESS}(AbstractProcess):",
        '    """Writes the spikes of all ports to a file, in the last of ``steps`` steps."""',
        *_START.splitlines(),
        *(f"        self.from_{name} = InPort(shape=({size},))" for name, size in sizes.items()),
        *model_head(PROCESS),
        '    """The file has a table for each port: a row (step from 0, neuron) for each spike."""',
        "",
        "    NAMES = (",
        *(f'        "{name}",' for name in sizes),
        "    )",
        *(
            f"    from_{name}: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)"
            for name in sizes
        ),
        *_STEP.splitlines(),
    ]
    return "\n".join(lines) + "\n"
