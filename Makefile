# Throughcare. `make run` starts the demonstration, `make test` proves the service.
# Needs Python 3.11, make and the network (PyPI; Debian's apt for Chromium where there is none).

PYTHON   ?= $(shell command -v python3.11 || command -v python3)
PORT     ?= 8000
# Test workers: one for each core unless told otherwise.
WORKERS  ?= auto

UV_VERSION := 0.13.9
UV  := .tools/uv-$(UV_VERSION)/bin/uv
BIN := .venv/bin
BROWSERS := chromium chromium-browser google-chrome

export UV_PYTHON_DOWNLOADS := never
# Compiled while installing: where Python may not keep what it compiles, each start would do it anew.
export UV_COMPILE_BYTECODE := 1
COMPILE = $(BIN)/python -m compileall -q clinic config dosing migrations scheduling
# The environment of a shell someone happens to be in is not ours to change.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test proof mutate trace bench check clean python sync sync-dev chromium

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: sync ## Install, migrate, load the demonstration if there is none, and serve on PORT (8000)
	@mkdir -p var
	@$(BIN)/throughcare migrate
	@$(BIN)/throughcare demo load --if-empty
	@$(BIN)/throughcare serve --host 127.0.0.1 --port $(PORT)

test: sync-dev chromium check ## Lint, types and every test, on SQLite and PostgreSQL
	$(BIN)/pytest -n $(WORKERS)

proof: sync-dev chromium check ## The same, with the long races, kills and walks
	$(BIN)/pytest -n $(WORKERS) -m "proof or not proof"

mutate: sync-dev ## Change one thing in dosing/ at a time: does anything notice? (ARGS="induction")
	@nice $(BIN)/python -m tests.support.mutation $(ARGS)

trace: sync-dev ## Which requirement or rule does no test prove? (ARGS="--only RP-02,RP-04")
	@$(BIN)/python -m tests.support.trace $(ARGS)

bench: sync-dev ## How fast is it, against a bare floor in the same run?
	@$(BIN)/python -m tests.support.bench

clean: ## Remove what was installed and cached; var/ and its database stay
	rm -rf .tools .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy dosing scheduling config

python:
	@version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	if [ "$$version" != 3.11 ]; then \
	  echo "Throughcare needs Python 3.11; found $${version:-none}. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi

$(UV): | python
	@rm -rf .tools
	"$(PYTHON)" -m venv .tools/uv-$(UV_VERSION)
	.tools/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Named only when the environment is made: given again, a shim or a link counts as another Python
# and the environment is thrown away.
WITH_PYTHON = $(if $(wildcard .venv/pyvenv.cfg),,--python "$(PYTHON)")

# --frozen: these commands never rewrite uv.lock, whatever index this machine uses.
# --inexact: running the demonstration does not throw out the tools of a test run.
sync: python $(UV)
	@$(UV) sync --quiet --frozen --inexact $(WITH_PYTHON)
	@$(COMPILE)

sync-dev: python $(UV)
	@$(UV) sync --quiet --frozen --group dev $(WITH_PYTHON)
	@$(COMPILE)

# A page test without a browser would prove nothing, so a missing one is installed or is an error.
chromium:
	@if [ -n "$$THROUGHCARE_CHROMIUM" ]; then \
	  command -v "$$THROUGHCARE_CHROMIUM" >/dev/null && exit 0; \
	  echo "THROUGHCARE_CHROMIUM is $$THROUGHCARE_CHROMIUM, which is no program here." >&2; exit 1; \
	fi; \
	for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; \
	else \
	  echo "The page tests need Chromium: install it (as root: apt-get install chromium), or set THROUGHCARE_CHROMIUM to a Chromium or Chrome." >&2; \
	  exit 1; \
	fi
