# Two commands do everything on a fresh machine: make audit, make test.
PYTHON ?= python3.11
BIN := .venv/bin
HELDOUT_TEST_WORKERS ?= 2

.PHONY: audit test test-all lint bench docs clean
.DEFAULT_GOAL := audit

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/.developed: .venv/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)
	touch $@

audit: .venv/.installed
	$(BIN)/heldout audit --report report.html

lint: .venv/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two workers of one thread each: tiny kernels lose more to oversubscription than they gain from threads.
test: .venv/.developed lint
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n $(HELDOUT_TEST_WORKERS) -m "not slow"

test-all: .venv/.developed lint
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n $(HELDOUT_TEST_WORKERS)

bench: .venv/.developed
	for job in benchmarks/*.py; do $(BIN)/python -m benchmarks.$$(basename $$job .py); done

docs: .venv/.developed
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf .venv site report.html
