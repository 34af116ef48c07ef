# Every target brings what it needs; `make demo` is the one to begin with.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# cpu, cu130, …: where uv takes torch from. Empty: whatever pip is configured to find.
TORCH_BACKEND ?=

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test browser screenshots check bench chaos card clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready ## Build .venv with everything

$(VENV)/.ready: pyproject.toml constraints.txt overrides.txt
	@command -v $(PYTHON) >/dev/null || { echo "needs $(PYTHON) (set PYTHON=…)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "needs venv: apt install $(notdir $(PYTHON))-venv"; exit 1; }
	@echo "== building $(VENV): a few minutes the first time, torch alone is some hundred MB"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
ifeq ($(TORCH_BACKEND),)
	$(BIN)/python -m pip install --no-compile --disable-pip-version-check --constraint constraints.txt torch
else
	$(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt --torch-backend $(TORCH_BACKEND) torch
endif
	$(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt --override overrides.txt --editable '.[dev,turns]'
	@touch $@

servers: ## Install Dovecot, PostgreSQL, OpenSSH, Chromium and an OpenID provider where that is possible (Debian, Ubuntu)
	@sh tests/install-servers.sh

demo: ## Triage a shipped mailbox and shipped recordings, end to end
	@{ sh tests/install-servers.sh dovecot || echo "== no Dovecot: the demo reads the mails from their folder"; } & \
	$(MAKE) --no-print-directory setup && wait
	$(BIN)/triage demo

# Acceptance tests measure a worker that has the machine to itself.
test: setup servers ## Unit, integration, browser and acceptance tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --durations 25 tests/unit tests/integration
	$(BIN)/python -m pytest tests/browser
	$(BIN)/python -m pytest tests/acceptance

browser: setup ## The console's tests in Chromium
	@sh tests/install-servers.sh chromium
	$(BIN)/python -m pytest tests/browser

screenshots: setup ## Pictures of every page of the console, for docs/
	@sh tests/install-servers.sh chromium
	$(BIN)/python -m tests.browser.screenshots

check: setup ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## All benchmarks, tables to standard output
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

chaos: setup ## The long fault runs: a bad endpoint and a bad mail server, workers that are killed; the API fuzzed
	$(BIN)/python -m tests.chaos.delivery
	$(BIN)/python -m tests.chaos.mail
	$(BIN)/python -m tests.chaos.api

card: setup ## Measure the shipped model and rewrite docs/model-card.md (MEASURE=file: a set of your own too)
	$(BIN)/python -m classifiers.card $(if $(MEASURE),--measure $(MEASURE))

clean: ## Remove what the targets made
	rm -rf $(VENV) demo-data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
