# Every command of the project. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
# A version named in PYTHON has an environment of its own beside the default one: python3.13 uses .venv-3.13.
VERSION := $(patsubst python%,%,$(notdir $(PYTHON)))
VENV_DIR := .venv$(if $(findstring .,$(VERSION)),-$(VERSION))
VENV := $(VENV_DIR)/bin/python
DEPLOY := $(VENV) -m scripts.deploy
# Passed through the environment, so that each value is one argument and never run as a command.
DEPLOY_OPTIONS := $${PLATFORM:+--platform "$$PLATFORM"} $${DRY_RUN:+--dry-run} $${JSON:+--json} $${YES:+--yes}

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "; printf "\nUsage: make TARGET\n\n"} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile; echo

setup: ## Prepare .venv and the frontend's packages, without starting anything (PYTHON=python3.13 for another version)
	@$(PYTHON) scripts/setup.py $(VENV_DIR)$(if $(JSON), >&2)

run: setup ## Run everything on this machine, as in production: web, worker, beat
	@$(VENV) -m scripts.run

dev: setup ## Like run, with reload and Vite's dev server
	@$(VENV) -m scripts.run --dev

test: setup ## All checks and tests, or some tests (T=tests/backend/jobs/test_quotas.py, T='-k quota')
	@$(VENV) -m scripts.test $${T:+--only="$$T"}

test-quick: setup ## Checks and the tests that need only SQLite: no PostgreSQL, no browser, no other process
	@$(VENV) -m scripts.test --quick

lint: setup ## Style, spelling, types and import rules, of Python and the frontend
	@$(VENV) -m scripts.test --lint

format: setup ## Format Python and the frontend, and fix what can be fixed automatically
	@$(VENV_DIR)/bin/ruff check --fix --exit-zero .
	@$(VENV_DIR)/bin/ruff format .
	@PATH="$(CURDIR)/$(VENV_DIR)/bin:$$PATH" npm --prefix frontend run --silent format

fuzz: setup ## Test the API with generated requests (FUZZ_SECONDS=300 for each of three runs)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-300} FUZZ_SEED=$${FUZZ_SEED:-$$$$} ENVIRONMENT=test $(VENV) -m pytest tests/backend/test_fuzz.py -q

audit: setup ## Search for known vulnerabilities, and for secrets in files
	@$(VENV) -m scripts.audit

images: ## Build the app and web images of this commit
	@$(PYTHON) -m scripts.images $${TAG:+--tag "$$TAG"}

stack-up: ## Start the production stack on this host, or apply changed settings (TAG=… of the images)
	@$(PYTHON) -m scripts.stack up $${TAG:+--tag "$$TAG"}

stack-update: ## Replace the running release without downtime (TAG=… of the images, default sha-<commit>)
	@$(PYTHON) -m scripts.stack update $${TAG:+--tag "$$TAG"}

stack-status: ## Show the production stack's containers
	@$(PYTHON) -m scripts.stack status

test-stack: setup ## Build the images, run the production stack, and test it under failures (needs Docker)
	@$(VENV) -m pytest tests/stack --numprocesses 0 --capture no --timeout 900

smoke: setup ## Test a deployed site with a real job (ENV=… or SITE=https://…, SHA=… to expect)
ifdef SITE
	@$(VENV) -m scripts.smoke "$$SITE" $${SHA:+--expect-sha "$$SHA"}
else
	@$(DEPLOY) smoke --env "$$ENV" $(DEPLOY_OPTIONS)
endif

deploy-staging: setup ## Build, push, deploy to staging, run the smoke test, tag as tested (PLATFORM=do|fly, TAG=…, DRY_RUN=1, JSON=1)
	@$(DEPLOY) staging $(DEPLOY_OPTIONS) $${TAG:+--tag "$$TAG"} $${ENV_FILE:+--env-file "$$ENV_FILE"}

promote: setup ## Deploy tested images to production (TAG=tested-…, RELEASE=v1.2.3, YES=1 skips the question)
	@$(DEPLOY) promote --tag "$$TAG" $(DEPLOY_OPTIONS) $${RELEASE:+--release "$$RELEASE"} $${ENV_FILE:+--env-file "$$ENV_FILE"}

rollback: setup ## Restore the last good release within 300 s (ENV=staging|production, TO=…)
	@$(DEPLOY) rollback --env "$$ENV" $(DEPLOY_OPTIONS) $${TO:+--to "$$TO"}

status: setup ## Show the running release, deployments in progress, and rollback targets (ENV=…)
	@$(DEPLOY) status --env "$$ENV" $(DEPLOY_OPTIONS)

logs: setup ## Show the latest log lines (ENV=…, COMPONENT=api|worker|…)
	@$(DEPLOY) logs --env "$$ENV" $(DEPLOY_OPTIONS) $${COMPONENT:+--component "$$COMPONENT"}

sync-env: setup ## Set a file's variables on the platform (ENV=…, FILE=.env.<env>, PRUNE=1 removes, DRY_RUN=1)
	@$(DEPLOY) sync-env --env "$$ENV" $(DEPLOY_OPTIONS) $${FILE:+--file "$$FILE"} $${PRUNE:+--prune}

rehearse: setup ## Rehearse staging, promotion and rollback with real containers, under load (needs Docker)
	@$(VENV) -m tests.rehearsal

bench: setup ## Measure speed and memory against bare baselines
	@$(VENV) -m scripts.bench

check: setup ## Show the settings and whether the application can start
	@$(VENV) -m backend check

migrate: setup ## Migrate the database to the latest schema
	@$(VENV) -m backend migrate

types: setup ## Generate the OpenAPI document and the frontend's types
	@$(VENV) -m scripts.api_types

lock: setup ## Pin dependencies in the lock files (UPGRADE=1 for newer versions)
	@$(VENV) -m scripts.lock

clean: ## Delete everything that setup, run and test created, and the local data
	@rm -rf .venv .venv-* .data frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.PHONY: help setup run dev test test-quick lint format fuzz audit images stack-up stack-update stack-status test-stack smoke deploy-staging promote rollback status logs sync-env rehearse bench check migrate types lock clean
