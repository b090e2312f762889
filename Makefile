# Every target sets the environment up first; see tools/setup.sh (PYTHON=... and VENV=... choose).
VENV ?= .venv
BIN := $(VENV)/bin
# Tests that run at a time: each may compile, and has a Lava process beside it.
JOBS ?= 2
export VENV
# BIN as a path from anywhere
PYTHON_HERE = $(abspath $(BIN)/python)

.PHONY: help setup demo test test-all test-browser check format bench pictures

help:
	@echo "make demo      a network of 4,000 neurons on Lava, beside Brian2's own runtime, with a picture"
	@echo "make test      the tests (about 12 minutes on two cores)"
	@echo "make check     ruff, its formatter, mypy"
	@echo "make test-all  the long tests and Brian2's whole suite, on every Python found"
	@echo "make test-browser  the studio's page in Chromium"
	@echo "make bench     the benchmarks"
	@echo "make pictures  runs all examples and draws their pictures anew"

setup:
	@sh tools/setup.sh

demo: setup
	@"$(BIN)/brian2lava" demo

test: setup
	@"$(BIN)/python" -m pytest -n $(JOBS) --dist worksteal -m "not long and not browser"

test-all: setup
	@sh tools/test_all.sh

# Debian's Chromium where it is installed; else Playwright's own, which is fetched.
test-browser: setup
	@"$(BIN)/python" -m pip install --quiet "playwright>=1.45"
	@command -v chromium >/dev/null || "$(BIN)/python" -m playwright install chromium
	@"$(BIN)/python" -m pytest tests/studio/browser -m browser

# On a machine with an NVIDIA card: what compares the kernels there with Brian2 and the CPU engine.
test-gpu: setup
	@"$(BIN)/python" -m pip install --quiet --editable ".[gpu]"
	@BRIAN2LAVA_TRY_CARD=1 BRIAN2LAVA_LONG=1 "$(BIN)/python" -m pytest -k card tests/cuda \
		tests/test_features_*.py tests/test_delays.py tests/test_random_networks.py

check: setup
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"

format: setup
	@"$(BIN)/ruff" check --fix .
	@"$(BIN)/ruff" format .

bench: setup
	@"$(BIN)/python" -m benchmarks

pictures: setup
	@for folder in examples examples/loihi; do \
		cd "$(CURDIR)/$$folder/pictures" || exit 1; \
		for script in ../*.py; do \
			echo "$$folder/$${script#../}"; \
			MPLBACKEND=Agg "$(PYTHON_HERE)" "$$script" || exit 1; \
		done; \
	done
