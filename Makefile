# One script per verb, the same for people and CI. `make help` lists them.
PYTHON ?= python3
PORT ?= 8600
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build

.PHONY: help setup demo test test-slow test-pythons test-oldest prove-apps lint format bench native constraints clean sanitize fuzz wheel

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: $(STAMPS)/python $(STAMPS)/native $(STAMPS)/web $(STAMPS)/system  ## everything that demo and test need; quick when done

demo: setup  ## server, agent and a shop under load; prints the console's address
	@exec $(BIN)/python demo/run.py --port $(PORT)

test: setup  ## lint, types and all tests but the slow ones
	@scripts/test

test-slow: setup  ## kill -9, full disks, long outages
	@$(BIN)/python -m pytest -m slow -n 0 -o timeout=1800 tests

test-pythons: setup  ## the probe's tests on every CPython that is here
	@scripts/test-pythons

test-oldest: setup  ## the plugins' tests on the oldest libraries they support
	@scripts/test-oldest

prove-apps: setup  ## applications of others, bare and under the probe; see docs/proven.md
	@scripts/prove-apps

native: $(STAMPS)/python  ## build the native parts anew, under running programs
	@scripts/native

lint: setup  ## ruff, clang-format, mypy, biome, tsc
	@scripts/lint

format: setup  ## let the formatters have their way
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix -q . ; $(BIN)/clang-format -i native/*/*.[ch] native/*/*/*.[ch] ; cd web && npm run -s format

bench: setup  ## every benchmark; tables go to bench/results/
	@$(BIN)/python -m bench

sanitize: setup  ## the native core under Address- and UndefinedBehaviorSanitizer
	@scripts/sanitize

SECONDS ?= 60
fuzz: setup  ## random calls into the native core and its twin, random bytes into every decoder; SECONDS=60
	@scripts/fuzz $(SECONDS)

wheel: setup  ## dist/*.whl, console included
	@$(BIN)/python -m pip wheel --no-deps -q -w dist .

constraints: $(STAMPS)/python  ## pin every Python package anew
	@scripts/constraints

# -- what setup is made of: each is a stamp that is renewed when its inputs change --------------------------------------
$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sonde needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@echo "setup: virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==0.13.8

$(STAMPS)/python: constraints.txt $(VENV)/bin/uv
	@mkdir -p $(STAMPS)
	@echo "setup: Python packages"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --system-certs -q --no-deps -r constraints.txt
	@touch $@

$(STAMPS)/native: $(STAMPS)/python pyproject.toml setup.py $(wildcard native/*/*.[ch] native/*/*/*.[ch])
	@echo "setup: sonde and its native core"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --system-certs -q --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/npm: web/package.json web/package-lock.json
	@mkdir -p $(STAMPS)
	@echo "setup: web packages"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(STAMPS)/web: $(STAMPS)/npm $(shell find web -path web/node_modules -prune -o -type f -print 2>/dev/null)
	@echo "setup: console"
	@cd web && npm run --silent build
	@touch $@

$(STAMPS)/system: scripts/system-packages
	@mkdir -p $(STAMPS)
	@scripts/system-packages
	@touch $@

clean:  ## remove what was made
	@rm -rf $(STAMPS) $(VENV) web/node_modules src/sonde/server/console build dist .demo
	@find src -name '*.so' -delete
