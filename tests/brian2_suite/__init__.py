"""Brian2's own test suite, run on the lava device.

Brian2 ships its tests inside the installed package. This package runs them, unchanged, with
`set_device("lava")` in force, in a worker process that a supervisor watches: a test that hangs or
kills its interpreter costs that test only.

    python -m tests.brian2_suite                                # the tests for standalone devices
    python -m tests.brian2_suite --phases all --out suite.json
    python -m tests.brian2_suite --phases standalone --sample 20 --seed 1
    python -m tests.brian2_suite --phases runtime_only --device runtime     # the reference

`phases.py` says which tests there are and how they are run, `worker.py` runs them,
`supervisor.py` watches the worker, `verdict.py` compares the outcomes with `expected.json`.
"""
