# Installation and the everyday commands; `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PIP_DISABLE_PIP_VERSION_CHECK := 1

bin := .venv/bin
core_tests := $(wildcard $(addprefix tests/,operations config cells kernel encoders networks training backbones detection search predictors deployment benchmarks figures))

.PHONY: help install search test test-all test-core lint style types tests params bench dvc site lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

install: .venv/.project ## install the packages into .venv, and nothing else

search: .venv/.project ## run the whole search with params.yaml
	@$(bin)/nasgem search

test: style ## check style, then types while the tests run
	@$(MAKE) --no-print-directory -j 2 types tests

test-all: lint ## the same with the tests that take long
	@$(bin)/python -m pytest -q

test-core: .venv/.project ## run the tests of nasgem_core only, the slow ones left out
	@$(bin)/python -m pytest -q -m "not slow" $(core_tests)

lint: style types ## check style (ruff) and types (mypy)

style: .venv/.project
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .

types: .venv/.project
	@$(bin)/mypy

tests: .venv/.project
	@$(bin)/python -m pytest -q -n 2 --dist worksteal --timeout 600 -m "not nightly"

params: .venv/.project ## write params.yaml with the defaults of nasgem_core/config (the laptop profile)
	@$(bin)/python -c 'from tasks.run.parameters import use_profile; use_profile("laptop")'

bench: .venv/.project ## measure speed and memory; leave the machine alone meanwhile
	@for subject in kernel encoder bootstrap proxy_training training memory latency; do $(bin)/python benchmarks/$$subject.py; done

dvc: .venv/.project ## write dvc.yaml and the stages' lines of .gitignore from the catalogue of stages
	@$(bin)/python -m flows.stages.dvc_file

site: .venv/.project ## write the documentation as a site into site/
	@$(bin)/python -m docs_site.commands_page
	@NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs build --quiet
	@echo "open site/index.html"

# Pins that stand in the file are kept: delete a line to have that package resolved anew. The sed takes out of the
# markers what is true wherever this can be installed.
given := python_full_version < '3.15'|platform_machine == 'x86_64'|sys_platform == 'linux'|[a-z_]*implementation[a-z_]* [!=]= '(PyPy|CPython)'
lock: .venv/.packages ## resolve pyproject.toml into the exact pins and hashes of requirements.lock
	@$(bin)/uv pip compile --quiet --universal pyproject.toml --group dev --extra peers --extra dask --extra ray --extra s3 --annotation-style line \
	    --custom-compile-command "make lock" --generate-hashes --output-file requirements.lock
	@sed -Ei "s/ ($(given)) and//g; s/ (and|;) ($(given))//g" requirements.lock

clean: ## remove .venv and the caches of the tools; results stay
	@rm -rf .venv .ruff_cache .mypy_cache .hypothesis nasgem.egg-info site

# The environment is complete or made anew: of an interrupted installation a half-written package would count as
# installed. The pip that comes with Python installs the pinned one, and that one the rest. Each file has to have one of
# the hashes that the lock has for its package.
log := .venv/install.log
suitable := import ensurepip, sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13), (3, 14)))
.venv/.packages: requirements.lock
	@for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3); do \
	    if "$$python" -c "$(suitable)" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	    echo "nasgem needs Python 3.11 to 3.14 with its venv module (Debian: python3-venv)." \
	        "If it is not on PATH, name it: make PYTHON=/path/to/python3.11" >&2; \
	    exit 1; \
	fi; \
	echo "Installing the pinned packages into .venv ($$("$$found" --version), about 7 GB). This takes minutes, once."; \
	"$$found" -m venv --clear .venv
	@trap 'kill $$! 2>/dev/null' EXIT; \
	while sleep 10 && kill -0 $$$$ 2>/dev/null; do \
	    echo "  fetched $$(grep -cE '^(Collecting|Processing)' $(log))," \
	        "unpacked $$(ls -d .venv/lib/python3*/site-packages/*.dist-info | wc -l)" \
	        "of $$(($$(grep -c == requirements.lock) - $$(grep -c ^Ignoring $(log)))) packages"; \
	done & \
	{ awk '/^[a-z]/ { first = /^(pip|setuptools)==/ } first' requirements.lock > .venv/installers.lock && \
	  $(bin)/python -m pip install --require-hashes --no-deps -r .venv/installers.lock && \
	  $(bin)/python -m pip install --require-hashes --no-deps --no-build-isolation -r requirements.lock && \
	  $(bin)/python -m pip check; } >$(log) 2>&1 || \
	{ echo "The installation failed; all of it is in $(log), the end of it:" >&2; tail -n 5 $(log) >&2; exit 1; }
	@touch $@

# DVC would make its cache of hashes for everybody to write into, and reads it with pickle. Here it is the owner's alone;
# the second line says so to a `dvc` that is typed in a folder below.
.venv/.project: .venv/.packages pyproject.toml
	@$(bin)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@umask 077 && mkdir -p .nasgem/dvc/repo
	@DVC_NO_ANALYTICS=1 $(bin)/dvc config --quiet --local core.site_cache_dir "$(CURDIR)/.nasgem/dvc"
	@touch $@
