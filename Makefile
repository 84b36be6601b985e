# Everything that is run by hand or by CI. `make test` is all that CI does.

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_VERSION := 0.13.9
WORKERS ?= 6
# The lab's guests see this folder read-only: without this every start of the program would compile it anew.
COMPILE := $(PYTHON) -m compileall -q wizard && $(PYTHON) -m wizard.flow.compiled
MAKEFLAGS += --no-print-directory

.PHONY: test run lint lab bench screenshots clean
.DEFAULT_GOAL := test

# The lint, the types, the contracts between the layers, and every test; the fault lab where this host allows it.
# On a machine that others share, a guest may be starved of its turn: what fails is named, and asked once more, alone.
test: lint $(VENV)/.lab
	@$(COMPILE)
	$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal || \
	{ echo "Once more, alone: what failed above."; $(PYTHON) -m pytest --last-failed --last-failed-no-failures=none; }

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Only the fault lab, with its score.
lab: $(VENV)/.dev $(VENV)/.lab
	@$(COMPILE)
	$(PYTHON) -m pytest tests/lab -n $(WORKERS) --dist worksteal

# What things cost, as ratios against the tools of every host. No test: a shared machine has no steady clock.
bench: $(VENV)/.dev $(VENV)/.lab
	@$(COMPILE)
	@$(PYTHON) -m tests.bench $(ROWS)

# make run ARGS="diagnose http://127.0.0.1/ --json": nothing but the program's own words on standard output.
run: $(VENV)/.run
	@$(VENV)/bin/gateway-wizard $(ARGS)

# The pictures of the screens, the same bytes at every run.
screenshots: $(VENV)/.dev
	$(PYTHON) -m tests.make_screenshots

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@sh tests/lab/venv.sh $(VENV) $(UV_VERSION) >&2

$(VENV)/.run: $(UV) pyproject.toml uv.lock
	@$(UV) sync --frozen --quiet --no-dev --inexact >&2
	@touch $@

$(VENV)/.dev: $(UV) pyproject.toml uv.lock
	@$(UV) sync --frozen --inexact --compile-bytecode >&2
	@touch $@ $(VENV)/.run

# Asked anew each time: whether the packages are there is a matter of the host, not of this folder.
.PHONY: $(VENV)/.lab
$(VENV)/.lab:
	@bash tests/lab/provision.sh
