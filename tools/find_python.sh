#!/bin/sh
# Prints the path of the first Python from 3.10 to 3.13 that really starts and can make a virtual
# environment; with an argument (3.12), the first of that version. PYTHON=... overrides the search
# and has to pass the same trial. Each candidate is run, not only looked up: a version manager
# leaves commands on the PATH that print an error instead of starting.
set -u

wanted=${1:-}
trial='import sys, venv, ensurepip
version = "%d.%d" % sys.version_info[:2]
assert version == sys.argv[1] if sys.argv[1] else (3, 10) <= sys.version_info[:2] <= (3, 13)
print(sys.executable)'

try() { "$1" -I -c "$trial" "$wanted" 2>/dev/null </dev/null; }

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON" && exit 0
    echo "PYTHON=$PYTHON does not start as a Python from 3.10 to 3.13 with the modules venv and ensurepip." >&2
    exit 1
fi

for name in python3 python3.13 python3.12 python3.11 python3.10; do
    try "$name" && exit 0
done
for version in 3.13 3.12 3.11 3.10; do
    for path in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
        try "$path" && exit 0
    done
done

echo "No Python ${wanted:-from 3.10 to 3.13} that starts and has the modules venv and ensurepip was found." >&2
echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv python3-dev)" >&2
echo "or name it with PYTHON=/path/to/python3." >&2
exit 1
