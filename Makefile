# To get started: make demo, make test, make check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

.PHONY: demo test long coverage faults check audit bench setup lock clean

demo: setup
	$(BIN)/python starter.py demo $(DEMO)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

# Slow tests: the whole demonstration, crashes, leaks, deployments, every rule broken on purpose, and properties with
# many examples.
long: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "long or hypothesis" --hypothesis-profile many $(TESTS)

# Lines and branches that no test reaches; no threshold. For the domain: TESTS=tests/cases REPORT=--include=cases/*
coverage: $(VENV)/.dev
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(REPORT)

# Runs thousands of cases while processes, partners and clocks fail (50 minutes). Fewer: FAULTS="--cases 300"
faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults $(FAULTS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/deptry .

# SCALE=1000,5000,20000: with these numbers of open cases. BENCH: more options, see `python -m bench compare --help`.
bench: setup
	$(BIN)/python -m bench $(if $(SCALE),scale --open $(SCALE),compare) $(BENCH)

# Finds known vulnerabilities of the pinned packages; needs a network. Without --strict an unknown package would pass.
audit: $(VENV)/.dev
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.lock -r requirements-machine.lock -r requirements-dev.lock

setup: $(VENV)/.run

$(VENV)/.run: requirements-machine.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-machine.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# Run it after a change of dependencies. Needs uv.
lock:
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) -c requirements.lock --all-extras pyproject.toml -o requirements-machine.lock
	$(LOCK) -c requirements-machine.lock --all-extras --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) data
