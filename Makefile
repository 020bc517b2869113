# Two commands on a fresh machine: `make demo` and `make test`. PYTHON may name another interpreter (3.11 or newer).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint install clean detection detection-record

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/gates demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check gates tests
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

# The proof that performance verdicts can be trusted: replays what was recorded; recording more takes hours (MINUTES=60).
detection: install
	$(BIN)/python -m benchmarks.detection.replay

detection-record: install
	$(BIN)/python -m benchmarks.detection.record --minutes $(or $(MINUTES),60)

clean:
	rm -rf $(VENV) build dist *.egg-info
