# Two commands do everything on a fresh machine with Python 3.11: `make run` and `make test`.
# Both install into .venv on the first call and not again until pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test test-slow test-all lint types clean
.DEFAULT_GOAL := test

run: $(VENV)/.installed-run
	$(BIN)/benchctl run --task multimedqa-pt,cosmosqa-pt --model tiny,longest,majority,random --data builtin
	$(BIN)/benchctl report --lang pt

# Two processes, the tests of a file in one of them.
test: lint types
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-slow: $(VENV)/.installed-test
	$(BIN)/pytest -m "slow and not alone" -n 2 --dist loadfile --durations 15
	$(BIN)/pytest -m "slow and alone"

test-all: test test-slow

lint: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-test
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "benchctl needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

# torch first and pinned: anything that lets pip choose another one downloads gigabytes.
$(VENV)/.installed-run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) torch
	$(PIP) -e '.[hf]'
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) torch
	$(PIP) -e '.[dev]'
	touch $@ $(VENV)/.installed-run

clean:
	rm -rf $(VENV) runs report.html
