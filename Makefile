# Few verbs; each is one command that can also be typed by hand. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCK = $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --only-binary :all: --generate-hashes --no-annotate \
	--custom-compile-command "make lock   (for Python 3.11 to 3.13 on Linux x86-64)" \
	$(ARGS) pyproject.toml requirements/build.in

.DEFAULT_GOAL := help
.PHONY: help demo test test-studio lint bench lock clean
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12 chooses the interpreter, ARGS='...' is handed on:"
	@echo "  make test ARGS='-k flow -x'"

demo: $(VENV)/.installed  ## install, then train three models on drawn portraits and compare them
	$(BIN)/sfumato demo $(ARGS)

test: $(VENV)/.installed-dev  ## install the test tools too, then run the suite
	$(BIN)/python -m pytest -n $(JOBS) -m "not studio" $(ARGS)

test-studio: $(VENV)/.installed-dev  ## the rest of the suite: the studio in a real browser, some minutes more
	$(BIN)/python -m pytest -m studio $(ARGS)

lint: $(VENV)/.installed-dev  ## ruff, pyright and the layers of the imports
	@failed=0; try() { echo "$$*"; "$$@" || failed=1; }; \
	try $(BIN)/ruff check .; \
	try $(BIN)/ruff format --check .; \
	try env PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python; \
	try $(BIN)/lint-imports --no-logo; \
	exit $$failed

bench: $(VENV)/.installed-dev  ## the benchmarks, one after the other
	@set -e; for script in benchmarks/[!_]*.py; do \
		echo "== $$script"; $(BIN)/python "$$script" $(ARGS); done

lock: $(VENV)/.installed-dev  ## rewrite the lock files; ARGS=--upgrade takes newer versions
	$(LOCK) --output-file requirements/lock.txt
	$(LOCK) --extra dev --constraint requirements/lock.txt --output-file requirements/lock-dev.txt

clean:  ## remove caches and the demo's output; .venv and runs/ stay
	rm -rf demo build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Each stamp says that its lock file has been installed; the second call is free.

$(VENV)/.installed: requirements/lock.txt pyproject.toml | $(BIN)/python
	@echo "Installing Sfumato into $(VENV): the first time some minutes and about 5 GB, most of it PyTorch."
	$(PIP) install --only-binary :all: --require-hashes -r requirements/lock.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements/lock-dev.txt $(VENV)/.installed
	$(PIP) install --only-binary :all: --require-hashes -r requirements/lock-dev.txt
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here; install Python 3.11 or newer (Debian: apt install python3 python3-venv) or name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and Sfumato needs Python 3.11 or newer; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment with pip; install its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
