"""How fast and how large: each figure against the same network in `cpp_standalone`, same run.

    python -m benchmarks                      # all measures, in full: about two hours on two cores
    python -m benchmarks --quick              # small sizes, to see that everything works: minutes
    python -m benchmarks --only run_loop,threads --sizes mid --out results

It writes `table.md` and `results.json`, and ends with status 1 where a bar is missed or the two
sides disagree. A measure is one file of `measures/`; the networks are in `scripts.py`. Every case
runs in a fresh process, ours and theirs in turn; figures are medians of the repeats.
"""
