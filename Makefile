# Everything a person types. `make help` lists it.
# Needs: Debian or Ubuntu with Python >= 3.11, python3-venv and make. Node comes from PyPI.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
# Compiled modules make a synth three times as fast, so they are made at installation.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

READY := .venv/.ready
CLI_READY := node_modules/.ready
CLOUD_READY := .venv-local-cloud/.ready
comma := ,
say = @printf '\n\033[1m%s\033[0m\n' '$(1)'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- what is installed

.PHONY: setup
setup: $(READY) $(CLI_READY) $(CLOUD_READY) ## install everything, in this folder only

.venv/bin/uv:
	$(call say,Making the virtual environment .venv)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Moorings needs Python 3.11 or later, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): requirements.txt pyproject.toml .venv/bin/uv
	$(call say,Installing the pinned packages$(comma) Node 24 and the command `moorings`)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python scripts/link_node.py
	@touch $@

$(CLI_READY): package.json package-lock.json $(READY)
	$(call say,Installing the CDK command line and axe-core)
	$(BIN)/npm ci --include=dev --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(CLOUD_READY): local_cloud/requirements.txt .venv/bin/uv
	$(call say,Installing the local cloud)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-local-cloud
	$(BIN)/uv pip install --quiet --python .venv-local-cloud/bin/python -r local_cloud/requirements.txt
	@touch $@

.PHONY: requirements
requirements: .venv/bin/uv ## write the pinned lists anew from the *.in files
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header requirements.in -o requirements.txt

# ---------------------------------------------------------------- on this machine only

.PHONY: demo
demo: $(READY) $(CLI_READY) $(CLOUD_READY) ## deploy both environments to a cloud on this machine; build, release, promote, release
	@$(BIN)/python -m demo

.PHONY: demo-break
demo-break: $(READY) ## break a service of the demo: the status page turns red, with the seconds of each hop
	@$(BIN)/python -m demo break

.PHONY: demo-heal
demo-heal: $(READY) ## mend it: the status page turns back, with the seconds of each hop
	@$(BIN)/python -m demo heal

.PHONY: demo-down
demo-down: ## stop everything that the demo started
	@$(PYTHON) -m local_cloud down

.PHONY: replay
replay: $(READY) $(CLI_READY) $(CLOUD_READY) ## play the incidents, as they were and with our stacks
	@$(BIN)/python -m tests.incidents

# ---------------------------------------------------------------- checks

.PHONY: test
test: $(READY) $(CLI_READY) $(CLOUD_READY) lint types ## everything that needs no Docker, browser or kernel
	$(call say,Tests)
	$(BIN)/python -m pytest -m 'not proof'

.PHONY: lint
lint: $(READY) ## style and format, of Python and shell
	$(call say,Style and format)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck .ci/run scripts/*.sh constructs_lib/delivery/*.sh

.PHONY: types
types: $(READY) ## strict types
	$(call say,Types)
	$(BIN)/mypy
	$(BIN)/mypy examples/web/app.py  # apart: the app of the repository has the same name
	$(BIN)/mypy examples/fail_static/app.py

PROOF_READY := .venv-proof/.ready

$(PROOF_READY): tests/proof/requirements.txt .venv/bin/uv
	$(call say,Installing the AWS command line and Playwright for the proof)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-proof
	$(BIN)/uv pip install --quiet --python .venv-proof/bin/python -r tests/proof/requirements.txt
	@touch $@

.PHONY: proof
proof: $(READY) $(CLI_READY) $(CLOUD_READY) $(PROOF_READY) ## what needs Docker, a browser or the kernel
	$(call say,Proof)
	@scripts/install_proof_tools.sh
	$(BIN)/python -m pytest -m proof

.PHONY: snapshot-update
snapshot-update: $(READY) ## accept what the stages synthesize now
	$(BIN)/python -m pytest tests/snapshots --snapshot-update

.PHONY: format
format: $(READY) ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# ---------------------------------------------------------------- AWS, with your own credentials

.PHONY: synth
synth: $(READY) ## synthesize all environments and check the templates
	$(call say,Synthesizing and checking all environments)
	$(BIN)/python -m stacks.gate

.PHONY: bootstrap
bootstrap: $(CLI_READY) ## prepare your AWS account and region for CDK, once
	$(BIN)/cdk bootstrap $(ARGS)

.PHONY: deploy
deploy: $(CLI_READY) _env ## deploy to AWS: make deploy ENV=staging
	$(BIN)/cdk deploy '$(ENV)/*' $(ARGS)

.PHONY: diff
diff: $(CLI_READY) _env ## compare with AWS: make diff ENV=staging
	$(BIN)/cdk diff '$(ENV)/*' $(ARGS)

.PHONY: destroy
destroy: $(CLI_READY) _env ## delete from AWS, after saying what stays: make destroy ENV=staging
	$(BIN)/python -m stacks.retained $(ENV)
	$(BIN)/cdk destroy '$(ENV)/*' $(ARGS)

.PHONY: _env
_env:
	@if [ -z "$(ENV)" ]; then echo "ENV is missing: name the environment, such as ENV=staging" >&2; exit 2; fi

.PHONY: clean
clean: demo-down ## remove everything that was installed or made
	rm -rf .venv .venv-local-cloud .venv-proof .local-cloud node_modules cdk.out .mypy_cache .ruff_cache .hypothesis
