# Everything a newcomer types. `make` alone lists the targets.
# Needs Python 3.11 or 3.12, make and git; all else comes from requirements.lock into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WARM := $(VENV)/.warm
ANALYSTS := $(VENV)/analysts/.ready
# More than the cores of a small machine: tests wait for schedulers and servers.
JOBS ?= 3

# Airflow alone is thousands of modules, and each of the hundreds of processes that tests start would
# compile them anew where the environment forbids to keep what was compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(READY)  ## build .venv from requirements.lock

# A venv that lacks only the stamp (an interrupted build) is mended, not thrown away.
$(READY): requirements.lock pyproject.toml
	@python=""
	for name in $(PYTHON) python3.11 python3.12 python3 python; do
	  if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
	    2>/dev/null; then python="$$name"; break; fi
	done
	if [ -z "$$python" ]; then
	  echo "make: expected Python 3.11 or 3.12, found neither." \
	    "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1
	fi
	echo "Building $(VENV) with $$("$$python" --version) (some 800 MB; once)"
	if ! [ -x $(BIN)/uv ]; then
	  "$$python" -m venv $(VENV)
	  awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock \
	    > $(VENV)/bootstrap.txt
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r $(VENV)/bootstrap.txt
	fi
	export VIRTUAL_ENV="$$PWD/$(VENV)"
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Compiled once, here, rather than by the first tasks of a night side by side. What is compiled is
# kept by the file of a function, not by those of the functions it calls: so all goes together.
$(WARM): $(READY) $(wildcard pipeline/signature/*.py pipeline/ingest/split*.py pipeline/ingest/tidy.py \
  pipeline/dedup/*.py pipeline/enrich/*.py)
	@echo "Compiling the kernels (half a minute, once)"
	find pipeline \( -name '*.nbi' -o -name '*.nbc' \) -delete
	$(BIN)/python -m pipeline.runner.warm 2> $(VENV)/warm.log || { tail -n 20 $(VENV)/warm.log >&2; exit 1; }
	touch $@

# What analysts use beside Winnow, Spark above all, in an environment of its own: it is as large as
# the rest, only a few tests and the notebook need it, and they should not lean on Airflow.
.PHONY: analysts
analysts: $(ANALYSTS)  ## build .venv/analysts: Spark and notebooks (`make test` does too)

$(ANALYSTS): requirements-analysts.lock $(READY)
	@echo "Building $(VENV)/analysts (some 500 MB more; once)"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/analysts
	export VIRTUAL_ENV="$$PWD/$(VENV)/analysts"
	$(BIN)/uv pip sync --quiet --require-hashes requirements-analysts.lock
	echo "$$PWD" > "$$(echo $(VENV)/analysts/lib/python3.*/site-packages)/winnow.pth"
	touch $@

.PHONY: notebook
notebook: $(ANALYSTS)  ## a tour of the demo corpus in a browser, for new analysts (after make up)
	@$(VENV)/analysts/bin/marimo edit --host 127.0.0.1 docs/notebook/tour.py

.PHONY: demo
demo: $(WARM)  ## land the sample nights, run them through Airflow, show the corpus
	@$(BIN)/python -m demo.run

.PHONY: up
up: $(WARM)  ## start Airflow and the demo's object store, and leave them running
	@$(BIN)/python -m demo.serve up

.PHONY: down
down:  ## stop what `make up` and `make demo` left running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m demo.serve down; fi

# Side by side: none of these keeps two cores at work.
.PHONY: prepared
prepared: $(READY)
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync lint $(WARM) $(ANALYSTS)

# tests/conftest.py says in which order tests begin.
.PHONY: test
test: prepared  ## every check and every test, as CI runs them
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder

FUZZ_SECONDS ?= 600
.PHONY: fuzz
fuzz: $(READY)  ## break files of every format for ten minutes and read them (FUZZ_SECONDS=600)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

.PHONY: distributed
distributed: $(WARM)  ## a night on PostgreSQL, Redis and two Celery workers, through every restart
	$(BIN)/python -m pytest --durations=0 tests/distributed

.PHONY: lint
lint: $(READY)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(READY)  ## rewrite the sources in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(WARM)  ## generate dumps, run them, print MB/s, documents/s and peak memory per stage
	$(BIN)/python -m benchmarks.nightly
	$(BIN)/python -m benchmarks.readers
	$(BIN)/python -m benchmarks.splitting
	$(BIN)/python -m benchmarks.annotation
	$(BIN)/python -m benchmarks.passages
	$(BIN)/python -m benchmarks.parsing
	$(BIN)/python -m benchmarks.dedup.compare
	$(BIN)/python -m benchmarks.dedup.history

EVAL ?= ../shared/eval

.PHONY: models
models: $(READY)  ## make the models of annotation again (EVAL=<folder with taxonomy and texts>)
	$(BIN)/python models/language/calibrate.py --texts $(EVAL)/lid_dev.jsonl.gz
	OPENBLAS_NUM_THREADS=1 $(BIN)/python models/topic/build.py --taxonomy $(EVAL)/iptc_taxonomy.json \
	  --labelled $(EVAL)/topic_dev.jsonl.gz

.PHONY: lock
lock: $(READY)  ## resolve the newest allowed versions into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra airflow --group dev --universal --upgrade \
	  --generate-hashes --no-annotate --no-header --quiet -o requirements.lock
	@# The packaged httpfs fits one DuckDB, which may be older than that of the tests.
	sed '/^duckdb==/,/^[a-z]/{/^duckdb==/d;/^ /d}' requirements.lock > $(VENV)/constraints
	$(BIN)/uv pip compile pyproject.toml --group analysts --universal --upgrade \
	  --generate-hashes --no-annotate --no-header --quiet -c $(VENV)/constraints \
	  -o requirements-analysts.lock

.PHONY: sbom
sbom: $(READY)  ## write build/sbom.json (CycloneDX): every package of the lock, hashes, licences
	@$(BIN)/python ops/sbom.py build/sbom.json

.PHONY: audit
audit: $(READY)  ## look the packages of the lock up in PyPI's advisories (AUDIT=<options of pip-audit>)
	@$(BIN)/python ops/audit.py build/audit.json $(AUDIT)

.PHONY: clean
clean: down  ## remove the demo, its corpus and all caches; .venv stays
	rm -rf .demo .test .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage* build dist
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
