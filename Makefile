# `make` lists what there is to do. Every target sets itself up in .venv first, which takes no time when it is done.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help demo dev run test bench lint format lock clean ready

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

PROFILE ?= flask
LIMIT ?= 25
ARGS ?=

# The state that `make dev` shows: the live one, except where nothing but the demo has been run yet.
STATE ?= $(if $(wildcard .pyf/store.sqlite3),live,$(if $(wildcard .pyf/demo),demo,live))

help: ## List the targets
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' Makefile

demo: ready ## Take the three profiles from a made-up PyPI to collections, without a network, and search them
	@exec $(PY) -m pyf_pipeline_tests.demo $(ARGS)

run: ready ## One profile from the real PyPI: make run PROFILE=flask LIMIT=25 (LIMIT=0 for all of it)
	@exec $(PY) -m pyf_pipeline.cli.run --profile '$(PROFILE)' --limit '$(LIMIT)' $(ARGS)

dev: ready ## The Dagster UI over your state, or over the demo's where only that was run; STATE=live|demo forces one
ifeq ($(STATE),demo)
	@echo 'The Dagster UI over the state of the demo in .pyf/demo, with the made-up PyPI behind it (STATE=live for your own).'
	@exec $(PY) -m pyf_pipeline_tests.demo --ui $(ARGS)
else ifeq ($(STATE),live)
	@echo 'The Dagster UI over your own state in .pyf, with the real PyPI behind it (STATE=demo for the demo).'
	@exec $(VENV)/bin/dagster dev $(ARGS)
else
	@echo 'make dev: STATE is $(STATE); it can be live or demo' >&2; exit 2
endif

test: ready ## Run the tests, on three processes (one mostly waits); ARGS='-k name' for some of them
	@exec $(PY) -m pytest -n 3 --dist worksteal $(ARGS)

bench: ready ## Measure what things cost, beside the last figures; ARGS='pypi-first …' for some of it
	@exec $(PY) -m pyf_pipeline_tests.bench $(ARGS)

lint: ready ## Check style, formatting and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy -p pyf_pipeline

format: ready ## Format the sources and mend what ruff can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# A lock for everything, and the part of it that the container image installs.
# The extras stay in, as older versions of pip take `name[extra]` for a requirement that has no hash of its own.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header
lock: ## Resolve pyproject.toml into hashed versions again (needs uv); ARGS=--upgrade for newer ones
	@command -v uv >/dev/null || { echo 'make lock: uv is needed: pip install uv' >&2; exit 1; }
	$(LOCK) --all-extras --group dev $(ARGS) pyproject.toml --output-file constraints.txt
	$(LOCK) --extra postgres --extra s3 --group build --constraint constraints.txt --no-annotate pyproject.toml \
		--output-file deploy/requirements.txt

clean: ## Remove .venv and what tools left behind; your state in .pyf and your .env stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build logs .logs_queue .nux
	find pyf_pipeline pyf_pipeline_tests -name __pycache__ -prune -exec rm -rf {} +

ready: $(VENV)/.ready .env
	@grep -qsF -e 'DAGSTER_HOME=$(CURDIR)' -e "DAGSTER_HOME='$(CURDIR)'" -e 'DAGSTER_HOME="$(CURDIR)"' .env || \
		echo "note: for Dagster's commands to find this folder's history, .env needs the line DAGSTER_HOME='$(CURDIR)'"

.env:
	@HERE='$(CURDIR)' awk '/^#DAGSTER_HOME=/ { printf "DAGSTER_HOME=\047%s\047\n", ENVIRON["HERE"]; next } { print }' \
		.env.example > .env.new && mv .env.new .env

INSTALLED := -r constraints.txt
PROJECT := --no-deps --no-build-isolation -e .
$(VENV)/.ready: constraints.txt pyproject.toml tools/dagster
	@if command -v uv >/dev/null; then \
		echo 'Setting up $(VENV) with uv: a few seconds, or a minute or two where everything must be downloaded.' && \
		uv venv --quiet --allow-existing --python '>=3.11' $(VENV) && \
		uv pip install --quiet --python $(PY) --require-hashes $(INSTALLED) && \
		uv pip install --quiet --python $(PY) $(PROJECT); \
	else \
		command -v $(PYTHON) >/dev/null || { echo 'make: $(PYTHON) is not to be found; Python 3.11 or newer is needed' >&2; exit 1; }; \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
			{ echo "make: $(PYTHON) is $$($(PYTHON) -V), but 3.11 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }; \
		$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
			{ echo 'make: $(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv' >&2; exit 1; }; \
		echo 'Setting up $(VENV) with pip: a minute or two, the first time (seconds with uv).' && \
		$(PYTHON) -m venv $(VENV) && \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes $(INSTALLED) && \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-input $(PROJECT); \
	fi
	@rm -f $(VENV)/bin/dagster && cp tools/dagster $(VENV)/bin/dagster && touch $@
