# The two commands to know: "make demo" watches a network learn, "make test" runs the tests.
# Both set up everything they need in .venv; Python >= 3.11, pip and make must be there.

# The first Python here that is new enough; "make demo PYTHON=/path/to/python" chooses another.
PYTHON ?= $(shell for p in python3 python python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-all check lint types coverage format bench bench-peers bench-estimators results mutation-score clean

help:
	@echo "make demo      watch a network learn the truth table"
	@echo "make test      run the tests"
	@echo "make test-all  run the tests with every sweep complete"
	@echo "make check     lint, types, tests with coverage"
	@echo "make bench     time chainrule beside its peers (those that are installed)"
	@echo "make bench-peers  install PyTorch and JAX first (1.5 GB), then the same"
	@echo "make bench-estimators  time fit beside scikit-learn's estimators"
	@echo "make results   the accuracies in docs/results.md, computed anew (over an hour)"
	@echo "make mutation-score  how often chainrule check is right (quarter of an hour)"
	@echo "make format    format the code"
	@echo "make clean     remove .venv and everything generated"

demo: $(VENV)/standard
	$(BIN)/chainrule demo

test: $(VENV)/dev
	$(BIN)/python -m pytest -q -n auto

test-all: $(VENV)/dev
	CHAINRULE_SWEEP=full $(BIN)/python -m pytest -q -n auto

check: lint types coverage

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

coverage: $(VENV)/dev
	$(BIN)/python -m pytest -q -n auto --cov --cov-report=term

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks

bench-peers: $(VENV)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	$(BIN)/python -m benchmarks

bench-estimators: $(VENV)/dev
	$(BIN)/python -m benchmarks.estimators --json benchmarks/estimators.json --write docs/benchmarks.md

results: $(VENV)/dev
	$(BIN)/python -m benchmarks.accuracy
	$(BIN)/python -m benchmarks.images

mutation-score: $(VENV)/dev
	$(BIN)/python -m benchmarks.mutation_score --details

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of packages: made again when pyproject.toml changes.
$(VENV)/dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

$(VENV)/standard: pyproject.toml | $(BIN)/python
	@echo "Setting up .venv (once; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[standard]"
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "chainrule needs Python 3.11 or newer, and none was found on \
the PATH. Install one (python.org, or your system's packages), or name it: make demo \
PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual \
environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
