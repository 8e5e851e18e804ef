# `make` shows the verbs. Each makes the virtual environment itself: Python 3.11+, git, make and PyPI are enough.
PYTHON ?= python3
# Not taken from the environment, where the same name may mean another folder.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help all install demo test testcov interop test-lowest bench lint format typecheck examples sessions wheel clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

all: lint typecheck testcov examples ## everything a change must pass, but the wheel and the lowest versions

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, " + sys.executable + " is " + sys.version.split()[0] + ". Set PYTHON=python3.12, for example.")'
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --editable '.[simulator]' --group dev --group examples --group lint --group upstream
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[simulator]' --group dev --group examples --group lint --group upstream
endif
	@touch $(STAMP)

install: $(STAMP) ## make the virtual environment

demo: $(STAMP) ## run the flagship agent against the embedded simulator
	@$(BIN)/python examples/weather_agent.py

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -q

# What only starts other processes adds nothing here, as those are not measured; nor does doing the same thing again.
testcov: $(STAMP) ## run the tests and demand the coverage
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -q --ignore tests/test_examples.py --ignore tests/test_soak.py --ignore tests/test_docs.py \
	    --ignore tests/test_architecture.py \
	    --ignore tests/benchmarks --ignore-glob 'tests/*/test_kills.py' --ignore-glob 'tests/*/test_processes.py' \
	    -k 'not the_cut_of_the_bytes and not those_of_the_parts_manager'
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

interop: $(STAMP) ## share a login with the official Codex CLI, where that is installed
	@sh scripts/interop $(BIN)/python

test-lowest: ## run the tests on the oldest pydantic-ai that is supported
	@sh scripts/test-lowest $(PYTHON)

bench: ## measure speed against other packages, and write docs/performance.md (BENCH='--quick' for a look)
	@sh scripts/bench $(PYTHON) $(BENCH)

lint: $(STAMP) ## ruff, codespell, pyproject
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/validate-pyproject pyproject.toml > /dev/null

format: $(STAMP) ## format and sort
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

typecheck: $(STAMP) ## pyright strict; mypy strict on the public API
	@$(BIN)/pyright
	@$(BIN)/mypy

examples: $(STAMP) ## run every example against the simulator
	@failed=0; for example in examples/[!_]*.py; do \
	    case $$example in */test_*) run='-m pytest -q';; *) run=;; esac; \
	    if output=$$($(BIN)/python $$run $$example 2>&1 < /dev/null); then echo "ok      $$example"; \
	    else failed=1; echo "FAILED  $$example"; echo "$$output"; fi; \
	done; exit $$failed

sessions: $(STAMP) ## make the terminal sessions of the docs anew
	@$(BIN)/python scripts/terminal_sessions.py

wheel: $(STAMP) ## build the wheel and use it outside the checkout
	@sh scripts/test-wheel $(BIN)/python

clean: ## remove what the other verbs made
	rm -rf .venv .venv-lowest .venv-bench .venv-bench-litellm dist build .coverage .coverage.* .pytest_cache .ruff_cache .mypy_cache
