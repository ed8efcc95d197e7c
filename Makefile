# `make help` says what there is. Everything is installed into .venv, nothing into the system.
.DEFAULT_GOAL := help
.PHONY: help install trace test test-fast check docs package format record bench bench-quick clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# TensorFlow for the machine: with CUDA where there is an NVIDIA GPU.
TENSORFLOW ?= $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
ARGS ?= --n 5 --ver 2
# Without bytecode each worker of the tests compiles all tests and the package anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this text
	@echo "usage: make TARGET [ARGS='...'] [TENSORFLOW=cpu|gpu]"
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

# Bytecode is compiled at installation: without it TensorFlow takes three times as long to import.
# tf-keras is what the extra tf1 names; alone, because it asks for tensorflow beside tensorflow-cpu.
$(VENV)/installed-$(TENSORFLOW): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode -c constraints.txt \
	  --config-settings editable_mode=compat -e '.[$(TENSORFLOW),dev]'
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode -c constraints.txt \
	  --no-deps tf-keras
	@touch $@

install: $(VENV)/installed-$(TENSORFLOW) ## set up .venv with TensorFlow and the tools

trace: install ## trace the tutorial's ResNet and print the answer page (ARGS: other flags)
	$(BIN)/resnet-inspect trace $(ARGS)

test: install ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: install ## run the fast tests that need no TensorFlow; importing it fails
	$(BIN)/python -m pytest -n 3 --dist worksteal --no-tensorflow

check: install ## lint, types, layers, and module sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: install ## build the documentation in site/; warnings are errors
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode -c constraints.txt \
	  --config-settings editable_mode=compat -e '.[$(TENSORFLOW),dev,docs]'
	$(BIN)/python -m docs.generator
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

package: install ## build the wheel and try it without TensorFlow
	.ci/package

format: install ## put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

record: install ## make the recordings under tests/runs anew
	$(BIN)/python -m tests.recordings

bench: install ## measure speed and print ratios; TensorBoard is fetched for comparison
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode -c constraints.txt \
	  --config-settings editable_mode=compat -e '.[$(TENSORFLOW),dev,tensorboard]'
	$(BIN)/python -m bench

bench-quick: install ## run every benchmark once at its smallest size
	$(BIN)/python -m bench --quick

clean: ## remove .venv, site and caches; runs stay
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
