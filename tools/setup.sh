#!/bin/sh
# Makes the virtual environment that the Makefile works in, or brings it up to date. Quick when nothing changed.
# PYTHON=... chooses the Python, VENV=... the folder (default: .venv beside pyproject.toml).
set -eu
cd "$(dirname "$0")/.."
python=$(sh tools/find_python.sh)
exec "$python" -I tools/install.py --venv "${VENV:-.venv}" ${PYTHON:+--exactly-this-python}
