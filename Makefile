# The few commands that a person types. `make up` and `make test` are all the set-up there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Byte code is kept: without it each start costs seconds.
unexport PYTHONDONTWRITEBYTECODE
# As the functions have it: threads cost small matrices more than they give.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

BIN := .enms/env/functions/bin
ENMS := $(BIN)/enms
NODE := .enms/env/console/bin/node
NODE_MODULES := .enms/env/console/node_modules
# Numbers are written in the language of whoever runs them.
CONSOLE_TESTS := LC_ALL=en_US.UTF-8 $(NODE) --test --test-reporter=dot --disable-warning=MODULE_TYPELESS_PACKAGE_JSON 'tests/console/*.test.mjs'
NAME ?= functions
ROWS ?=
PICTURES ?=

.PHONY: help setup up down status logs dev unit test lint bench screenshots sam-check reset

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## bring uv and the environments into .enms (up and test do it)
	@local/setup.sh

up: setup ## bring the local cloud up; ends with the addresses and a call to copy
	@$(ENMS) up

down: ## stop it; the database's content stays
	@$(call enms,down)

status: ## what runs, where, since when, and its memory
	@$(call enms,status)

logs: ## follow a log: make logs NAME=kpi (postgres, localstack, feed, functions, or one function)
	@$(call enms,logs --follow $(NAME))

dev: setup ## the same routes from uvicorn on port 8001, with reload
	@$(ENMS) dev

unit: setup ## the tests without sockets, in seconds
	@$(CONSOLE_TESTS)
	@$(BIN)/python -m pytest -n auto tests/unit

lint: setup ## ruff and mypy; ESLint and TypeScript for the console
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(NODE) $(NODE_MODULES)/eslint/bin/eslint.js --config local/console/eslint.config.js \
		functions/ui/static tests/console local/console
	@$(NODE) $(NODE_MODULES)/typescript/bin/tsc -p local/console/tsconfig.json
	@$(NODE) $(NODE_MODULES)/typescript/bin/tsc -p local/console/tsconfig.tests.json

test: lint ## everything: lint, types, all tests
	@$(CONSOLE_TESTS)
	@$(BIN)/python -m pytest tests/e2e
	@$(BIN)/python -m pytest -n auto tests/unit tests/contract tests/integration

bench: setup ## the table of figures: make bench ROWS="kpi import"
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(ROWS)

screenshots: setup ## pictures of the console's pages into docs/img, from the stack that is up
	@PYTHONPATH=tests $(BIN)/python -m e2e.browser.screenshots $(PICTURES)

sam-check: ## images built by SAM and asked with events/, where a container engine runs
	@local/setup.sh sam
	@$(BIN)/python -m enms_local.sam_check

reset: ## stop, and empty .enms: database, logs, environments
	@if [ -x $(ENMS) ]; then $(ENMS) reset --yes; fi
	@rm -rf .enms
	@echo "State             .enms is empty"

# Commands that need no set-up of their own.
enms = if [ -x $(ENMS) ]; then $(ENMS) $(1); else echo "Nothing is set up here yet: run make up."; fi
