"""Synapses that Lava's library lacks, as a Lava process in plain NumPy.

The chip's weights are worked out beforehand (:mod:`brian2lava.chip.weights`): what is written out
only adds them up and lets them wait.
"""

from __future__ import annotations

from brian2lava.interop.export.module_text import head, model_head

#: The class, and the module that it is in.
PROCESS, MODULE = "ChipSynapses", "chip_synapses"

_PROCESS = '''

class ChipSynapses(AbstractProcess):
    """Synapses of one projection, as lists.

    Ports: s_in (spikes), a_out (what arrives at the targets).
    shape: (targets, sources). pre, post: the neurons that each synapse joins.
    weights: what a spike delivers, in units of 2**6 of the target's states.
    delays: in steps, for each synapse.
    right_shift: of the sum that arrives together (a negative weight exponent).
    graded: whether a spike's payload counts; else it counts as 1.
    """

    def __init__(self, *, shape, pre, post, weights, delays, right_shift=0, graded=False, name=""):
        targets, sources = shape
        super().__init__(
            shape=shape, pre=pre, post=post, weights=weights, delays=delays,
            right_shift=right_shift, graded=graded, name=name,
        )
        self.s_in = InPort(shape=(sources,))
        self.a_out = OutPort(shape=(targets,))
'''

_BODY = '''    """As with Lava's Dense, what is sent in a step has left in an earlier one."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, WORD)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, WORD)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.pre, self.post = proc_params["pre"], proc_params["post"]
        self.weights = proc_params["weights"].astype(WORD)
        self.right_shift, self.graded = proc_params["right_shift"], proc_params["graded"]
        delays = proc_params["delays"]
        self.groups = [(delay, delays == delay) for delay in np.unique(delays)]
        targets = proc_params["shape"][0]
        self.arriving = np.zeros((delays.max(initial=0) + 1, targets), WORD)  # now, next step, ...

    def run_spk(self):
        """One time step."""
        self.a_out.send(self.arriving[0])  # before anything is received: loops do not wait
        self.arriving = np.roll(self.arriving, -1, axis=0)
        self.arriving[-1] = 0
        spikes = self.s_in.recv().astype(WORD)
        message = spikes if self.graded else WORD(spikes != 0)
        for delay, chosen in self.groups:
            total = np.zeros(self.arriving.shape[1], WORD)
            delivered = self.weights[chosen] * message[self.pre[chosen]]
            np.add.at(total, self.post[chosen], delivered)
            self.arriving[delay] += total >> self.right_shift
'''


def module() -> str:
    """The text of the module."""
    doc = [f"{PROCESS}: synapses of which Lava's library has none that compute alike."]
    lines = [*head(doc, integers=("WORD",)), *_PROCESS.splitlines(), *model_head(PROCESS)]
    return "\n".join([*lines, *_BODY.splitlines()]) + "\n"
