# Cartback's tasks; `make` alone lists them. Needs Python 3.11 or newer and git, brings everything else.

PYTHON ?= python3
ARGS ?=

PY := .venv/bin/python
UV := .venv/bin/uv
STEP := .ci/step
NPM := $(PY) frontend/npm.py
COMPILE := $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--python-version 3.11 $(ARGS)
PAGES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup setup-node setup-test frontend demo story test lint test-frontend test-python test-browser \
	test-large bench format lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

demo: setup frontend ## Run the whole product with a demo shop (ARGS=--reset for an empty start)
	@exec .venv/bin/cartback demo $(ARGS)

story: setup frontend ## Play one cart through everything, without a person, and check each step
	@exec .venv/bin/cartback story $(ARGS)

setup: .venv/.runtime ## Install what the product needs into .venv

test: lint test-frontend test-python test-browser ## Check everything: style, types, front end, Python, browser

lint: .venv/.test ## Check style and types of the Python code
	@$(STEP) -v "ruff" $(PY) -m ruff check .
	@$(STEP) -v "format" $(PY) -m ruff format --check .
	@$(STEP) -v "mypy" $(PY) -m mypy

test-frontend: setup-test ## Check style and types of the front end and run its unit tests
	@$(STEP) -v "front-end types and style" $(NPM) frontend run --silent check
	@$(STEP) -v "front-end tests" $(NPM) frontend run --silent test

test-python: setup-test frontend ## Run the Python tests but those in a browser; ARGS goes to pytest
	@$(STEP) -v "Python tests" $(PY) -m pytest -q -n 2 -m "not browser and not large" $(ARGS)

test-browser: setup-test frontend ## Run the tests in a browser; ARGS goes to pytest
	@$(STEP) -v "browser tests" $(PY) -m pytest -q -m "browser and not large" $(ARGS)

test-large: setup-test frontend ## Run the tests that take long; ARGS goes to pytest
	@$(STEP) -v "large tests" $(PY) -m pytest -m large --timeout 3600 $(ARGS)

bench: setup-test frontend ## Measure against baselines of the same run (8 minutes); CASE=hooks runs one
	@$(PY) -m tests.bench $(CASE)

format: setup-test ## Mend the style of all code
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(NPM) frontend run --silent format

lock: .venv/.test .cache/node.ready ## Make the lock files anew; ARGS=--upgrade takes newer versions
	@$(COMPILE) --extra embedded pyproject.toml -o requirements.txt
	@$(COMPILE) --extra embedded --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@$(COMPILE) --group node -o requirements-node.txt
	@echo uv | $(COMPILE) - -o requirements-uv.txt
	@printf 'hatchling>=1.27\neditables\n' | $(COMPILE) - -o requirements-build.txt
	@$(NPM) frontend install --package-lock-only
	@$(NPM) tests/browser install --package-lock-only

clean: ## Remove everything that was built or downloaded; the data in .cartback stays
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results
	rm -rf frontend/node_modules frontend/dist tests/browser/node_modules

# --- what the tasks above rest on: a stamp file for each part, so that a second run has nothing to do ---

.venv/.made: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Cartback needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(STEP) "Python environment" sh -c '$(PYTHON) -m venv --clear .venv && \
		$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt'
	@touch $@

# Where the packages of the tests are installed already, they stay: going back and forth costs nothing.
.venv/.runtime: .venv/.made requirements.txt requirements-build.txt pyproject.toml
	@if [ -f .venv/.test ]; then rm .venv/.test && $(MAKE) -s .venv/.test; else \
		$(STEP) "Python packages" sh -c '$(call install,requirements.txt)'; fi
	@touch $@

.venv/.test: .venv/.made requirements-dev.txt requirements-build.txt pyproject.toml
	@$(STEP) "Python packages" sh -c '$(call install,requirements-dev.txt)'
	@touch $@ .venv/.runtime

install = $(UV) pip sync -q --python $(PY) --require-hashes $(1) && \
	$(UV) pip install -q --python $(PY) --no-deps --build-constraints requirements-build.txt -e .

setup-node: ## Bring a Node.js into .cache, unless the system has one that is new enough
	@rm -f .cache/node.ready
	@$(MAKE) -s .cache/node.ready

.cache/node.ready: requirements-node.txt | .venv/.made
	@mkdir -p .cache
	@$(NPM) --found || $(STEP) "Node.js" $(UV) pip install -q --python $(PY) --target .cache/node \
		--require-hashes -r requirements-node.txt
	@touch $@

setup-test: .venv/.test frontend/node_modules/.test ## Install what the tests need

frontend/node_modules/.build: .cache/node.ready frontend/package.json frontend/package-lock.json
	@if [ -f frontend/node_modules/.test ]; then rm frontend/node_modules/.test && $(MAKE) -s frontend/node_modules/.test; else \
		$(STEP) "front-end packages" $(NPM) frontend ci --omit=dev; fi
	@touch $@

frontend/node_modules/.test: .cache/node.ready frontend/package.json frontend/package-lock.json
	@$(STEP) "front-end packages" $(NPM) frontend ci
	@touch $@ frontend/node_modules/.build

frontend: frontend/dist/manifest.json ## Build the front end into frontend/dist

frontend/dist/manifest.json: frontend/node_modules/.build $(PAGES)
	@$(STEP) "front end" $(NPM) frontend run --silent build
	@touch $@
