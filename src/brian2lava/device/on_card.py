"""A captured network for a graphics card: its kernels, and what runs them."""

from __future__ import annotations

import functools
from collections.abc import Callable

from brian2lava.capture.network import Captured
from brian2lava.device.compiler import naming_operation, toolchain
from brian2lava.engine.cpu.toolchain import Built
from brian2lava.engine.cuda.build import emulate_library, write_cuda
from brian2lava.engine.cuda.instance import CardInstance
from brian2lava.engine.cuda.plan import CudaSource
from brian2lava.engine.cuda.render import render
from brian2lava.errors import NotSupported
from brian2lava.options import Options

#: Headers whose functions a card has without them.
_KNOWN = frozenset(
    f"<{name}>" for name in ("math.h", "cmath", "stdint.h", "cstdint", "algorithm", "stdlib.h")
)


def for_card(
    captured: Captured, options: Options, fuse: bool
) -> tuple[CudaSource, Built, Callable[..., CardInstance], list[str]]:
    """The source, what was built of it, what makes its instance, and notes for the report.

    Raises
    ------
    NotSupported
        A user's function needs a header or a source file.
    """
    _refuse_files(captured)
    source = render(captured.program, fuse, options.deterministic)
    make = functools.partial(
        CardInstance, emulated=options.emulate, deterministic=options.deterministic
    )
    notes = []
    if source.one_by_one:
        names = ", ".join(sorted({captured.owners[k] for k in source.one_by_one}))
        notes.append(f"run by one thread, since the order matters: {names}")
    if options.emulate:
        notes.append("the card's kernels were run by the processor (emulate=True)")
        with naming_operation(captured.program):
            built = emulate_library(
                source, toolchain(captured.compiler_kwds, options.deterministic)
            )
    else:
        built = write_cuda(source)
    return source, built, make, notes


def _refuse_files(captured: Captured) -> None:
    headers = set(captured.program.headers) - _KNOWN
    files = [*sorted(headers), *captured.compiler_kwds.get("sources", [])]
    if files:
        raise NotSupported(
            f"set_device('lava', hardware='GPU'): a function needs {', '.join(files)}, and code for"
            " a graphics card can include no file. Put the function's code into its"
            " implementation, or use hardware='CPU'."
        )
