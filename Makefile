# Everything works from a fresh clone: each target below first brings .venv up to date.
.DEFAULT_GOAL := help
.PHONY: help install run test check bench screenshots clean
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
STAMP := .venv/installed.$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1#/p' Makefile | column -t -s'#'

install: $(STAMP) ## a virtual environment with everything that running, testing and checking need

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Export UI needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || command -v uv >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq python3-venv; } \
	  || { echo "Python's venv module is missing; as root: apt-get install python3-venv"; exit 1; }
	@if command -v uv >/dev/null; then \
	  { [ -x $(BIN)/python ] || uv venv -q --python $(PYTHON) .venv; } \
	  && uv pip install -q --python $(BIN)/python -r requirements-dev.txt; \
	else \
	  { [ -x $(BIN)/python ] || $(PYTHON) -m venv .venv; } \
	  && $(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt; \
	fi
	@rm -f .venv/installed.*
	@touch $@

run: install ## everything on this machine, with a demo; PORT=8123 make run for another port
	@exec $(BIN)/python manage.py up --port $(PORT)

test: install ## every test on SQLite, the browser's included, then what asks the database again on PostgreSQL
	@$(BIN)/python -m tests.chromium
	$(BIN)/pytest -n 2 --dist loadgroup
	$(BIN)/pytest -n 2 --dist loadgroup --database postgres

check: install ## formatter, linter, types, house rules, templates, Django's checks for production
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(SCRATCH) DJANGO_SETTINGS_MODULE=exportui.settings $(BIN)/mypy -p exportui -p jobs
	DJANGO_SETTINGS_MODULE=emulator.settings $(BIN)/mypy --cache-dir .mypy_cache/emulator -p emulator
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/pytest -q tests/test_house.py
	$(SCRATCH) $(AS_IN_PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

# A data directory for this one line of a recipe.
SCRATCH := scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && EXPORTUI_DATA_DIR="$$scratch"

# Made-up values, only to see what Django thinks of the settings.
AS_IN_PRODUCTION := EXPORTUI_ENV=production EXPORTUI_PUBLIC_URL=https://exports.example.com \
  SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ \
  EXPORTUI_FIELD_KEYS=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
  DATABASE_URL=postgres://exportui@localhost/exportui REDIS_URL=redis://localhost:6379/0

JOBS ?= 1000000
PROFILES ?= 1000000
DB ?= sqlite,postgres

bench: install ## how fast it is, as ratios to anchors; JOBS=100000 DB=sqlite make bench for less of it
	$(BIN)/python -m tests.benchmarks --jobs $(JOBS) --db $(DB) --profiles $(PROFILES) --json bench.json

screenshots: install ## the pictures of the README, from the running demo
	@$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests.screenshots

clean: ## removes the virtual environment and what tools left behind; var/ with its data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
