# Two commands do all the set-up: `make demo` and `make test`. Each makes .venv when it is missing; a second run is instant.
PYTHON ?= python3.11
WORKERS ?= 2
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types check format clean

demo: $(VENV)/.demo  ## Roll the shipped Drive dream beside its twin; writes runs/demo/
	$(RUN) -m eval.demo

test: $(VENV)/.dev  ## Run every test
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint types  ## What a commit must pass besides the tests

lint: $(VENV)/.dev  ## Lint and formatting
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/.dev  ## Strict types of wmsim/
	$(RUN) -m mypy

format: $(VENV)/.dev  ## Put the code in form
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:  ## Forget the virtual environment, what was built and what was run
	rm -rf $(VENV) build dist runs outputs *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.torch: constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or name it, make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch setuptools wheel
	@touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[sim,data]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $@ $(VENV)/.demo
