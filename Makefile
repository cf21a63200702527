# `make train` and `make test` set everything up first: a virtual environment in .venv, and gapnet in it.
PYTHON ?= python3
BIN := .venv/bin
# Empty files that say what is installed: gapnet with all that training needs, and then the extras and developers' tools.
READY := .venv/ready
READY_DEV := .venv/ready-dev
# The tests start hundreds of processes, which all compile the same files unless one of them saves the result.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: train test slow nightly gpu bench lint types docs clean help

train: $(READY)  ## train and evaluate the default network on the stand-in data
	$(BIN)/python train.py $(ARGS)

# A test's tensors are tiny: one thread for each of the processes that run them is the fastest.
test: $(READY_DEV)  ## run the tests that take seconds
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadgroup $(ARGS)

slow: $(READY_DEV)  ## run the tests that take minutes, and those on real weights
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadgroup -m "slow or data" $(ARGS)

nightly: $(READY_DEV)  ## run the tests that take an hour: many seeds, many kills
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadgroup -m nightly $(ARGS)

gpu: $(READY_DEV)  ## check gapnet on one CUDA device and time it, in at most 8 minutes
	$(BIN)/python experiments/benchmarks/gpu.py $(ARGS)

bench: $(READY_DEV)  ## compare the speed of gapnet and other programs, on an idle machine; writes runs/benchmarks
	for script in box thresholds predict input step peers index; do $(BIN)/python experiments/benchmarks/$$script.py $(ARGS) || exit 1; done

lint: $(READY_DEV)  ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY_DEV)  ## check types
	$(BIN)/mypy

docs: $(READY_DEV)  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else f"gapnet needs Python 3.11 to 3.13, and $(PYTHON) is {sys.version.split()[0]}: name another with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

clean:  ## remove the environment (data/ and runs/ stay)
	rm -rf .venv

help:  ## show this
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10
