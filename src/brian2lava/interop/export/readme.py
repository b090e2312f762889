"""What the package says of itself."""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.interop.export.given import Given
from brian2lava.interop.export.names import by_reason

_TEXT = """# {title}, in Lava

Written by `brian2lava export`. This folder runs with [lava-nc](https://github.com/lava-nc/lava)
0.10.0 alone:

```
pip install lava-nc==0.10.0
python run.py
```

It runs {steps} steps{length} and says for each group whether its spikes are those that
brian2lava's emulator had; `spikes.npz` has them: for each group a table with a row
(step from 0, neuron) for each spike.

| file | what is in it |
|---|---|
| `run.py` | the network: a section for each group and each projection |
| `parameters.npz` | its integers: registers, weights, delays, spikes of sources |
| `processes/` | Lava processes of its own |
| `expected_spikes.npz` | the emulator's spikes |

## Which Python

lava-nc 0.10.0 is for Python 3.10 and NumPy 1. On 3.11 to 3.13, and with NumPy 2, its import fails,
unless some of its modules are repaired. brian2lava brings that repair; `run.py` stays as it is:

```
python -c "from brian2lava.processes.shim import install; install(); \\
import runpy; runpy.run_path('run.py', run_name='__main__')"
```

Lava forks processes, so this is for Linux; each section of `run.py` becomes one.

## Whose processes
{processes}
"""


def readme(given: Given, own: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The text of README.md.

    Parameters
    ----------
    given : Given
    own : dict of object to str
        Processes of the package's own, and why.
    names : dict of object to str
        Identifiers in the script.
    """
    length = f" of {given.dt * 1e3:g} ms" if given.dt else ""
    told = [
        "",
        "All are Lava's own, in fixed point, but for the recorder, which writes the spikes.",
    ]
    if own:
        told = [
            "",
            "Lava's own, in fixed point, but for the recorder, which writes the spikes, and for"
            " these, in",
            "`processes/`:",
            "",
            *(
                f"- {', '.join(f'`{names[name]}`' for name in objects)}: {why}"
                for why, objects in by_reason(own).items()
            ),
        ]
    title = "".join(c if c.isprintable() else " " for c in given.title)
    return (
        _TEXT.format(
            title=title, steps=given.steps, length=length, processes="\n".join(told)
        ).rstrip()
        + "\n"
    )
