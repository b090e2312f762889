#!/bin/sh
# The long checks, on each Python from 3.10 to 3.13 that this machine has: all of our tests, and all
# of Brian2's. Each Python gets an environment of its own, .venv-3.x. Goes on after a failure, and
# fails at the end if anything did.
set -u
cd "$(dirname "$0")/.."
unset PYTHON VENV

found=""
for version in 3.10 3.11 3.12 3.13; do
    python=$(sh tools/find_python.sh "$version" 2>/dev/null) || continue
    PYTHON=$python VENV=.venv-$version sh tools/setup.sh || exit 1
    found="$found $version"
    interpreters="${interpreters:+$interpreters:}$PWD/.venv-$version/bin/python"
done
[ -n "$found" ] || { sh tools/find_python.sh; exit 1; }

failed=""
for version in $found; do
    echo "== Python $version: our tests"
    BRIAN2LAVA_LONG=1 BRIAN2LAVA_PYTHONS=$interpreters \
        ".venv-$version/bin/python" -m pytest || failed="$failed tests-$version"
    echo "== Python $version: Brian2's tests"
    ".venv-$version/bin/python" -m tests.brian2_suite --phases all || failed="$failed brian2-$version"
done

[ -z "$failed" ] && echo "everything passed on Python$found" && exit 0
echo "failed:$failed"
exit 1
