"""Runs scripts one after another, each in a process of its own: ``python -m ... SCRIPT ...``.

What a script prints goes to SCRIPT.out, with the text of an error. Brian2 is imported once, and the
processes are forked.
"""

from __future__ import annotations

import os
import runpy
import sys
import traceback


def main(paths: list[str]) -> None:
    """Run them all."""
    import brian2  # noqa: F401

    import brian2lava  # noqa: F401

    for path in paths:
        child = os.fork()
        if not child:
            with open(path + ".out", "w", encoding="utf-8") as out:
                os.dup2(out.fileno(), 1)
                try:
                    runpy.run_path(path, run_name="__main__")
                except BaseException:
                    print(traceback.format_exc())
                sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
