# make help tells what there is. Everything derived lives in .venv/ and build/; figures/ is only ever published to.
PROFILE ?= demo
SEED    ?= 0
SEEDS   ?= 1
CONFIRM ?= 0
STUDY   ?=
DATA    ?=
SIMULATE ?= 0
OUT     ?=
FOLDER  ?=
BUILD   ?= build
PYTHON  ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null) python3.11)

# Names as they were typed, whatever is in them: $ is no variable of make's, and q quotes a name for the shell.
override STUDY := $(value STUDY)
override DATA  := $(value DATA)
override OUT   := $(value OUT)
override FOLDER := $(value FOLDER)
q    = '$(subst ','\'',$(1))'
slug = $(shell basename -- "$$(realpath -m -- $(call q,$(1)))" | LC_ALL=C tr -c 'A-Za-z0-9\n' '-')

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV  := .venv
SETUP := $(VENV)/.installed
PY    := $(VENV)/bin/python
EXTRAS := $(VENV)/.extras
TORCH ?= torch==2.13.0
define ADD_TORCH
@$(PY) -m pip --version > /dev/null 2>&1 || $(PY) -m ensurepip > /dev/null
@$(PY) -c 'import torch' 2> /dev/null || $(PY) -m pip install -q "$(TORCH)"
endef

## paper     rebuild every table and figure: make paper [PROFILE=demo|long|paper|smoke] [DATA=open [SIMULATE=1] | DATA=synthetic-1 | STUDY=folder] [OUT=folder] [SEED=0] [SEEDS=1]
## motion    from a motion file to refined activity: 12_motion_to_emg, into build/ (needs OpenSim and a recording)
## c3d       from one person's C3D files to refined EMG: 16_c3d_to_emg, into build/ (needs OpenSim)
## notebook  open the notebooks in Jupyter Lab
## bundle    the rendered site as an archive for deposit, with PDF of every figure and an RO-Crate: build/bundle/ [OUT=folder of the site]
## test      lint, type check and the test suite (minutes)
## test-all  the same with the slow tests
## study-claims  verdicts of the claims over three seeds, on synthetic data: docs/claims_seeds.csv (UNITS=16 UPDATES=600)
## study-long  the claims at the published length of training, on synthetic data: docs/long_*.csv (hours, or minutes on a card; MUSCLES=soleus,bi,tib,rect: these alone; DATA=open: people, docs/long_people_*.csv)
## study-epochs  which epoch's weights are used, and what that does to Er, on people and synthetic data: docs/epoch_choice.csv (MINUTES=60)
## study-learning  learning curves, speeds and motions left out, on synthetic data: docs/learning.csv (UNITS=16 UPDATES=600 STUDY=folder)
## study-outside  a person and a speed left out, EMG normalised otherwise, on open recordings: docs/outside_*.csv
## study-attention  attention where the truth is known, on synthetic data: docs/attention_*.csv (UNITS=64 UPDATES=2000: hours)
## study-attention-long  attention of what was trained long, in a run's folder or as *.nc: docs/attention_long.csv (FOLDER=folder)
## study-circumstances  speed and duration told to the rivals that take minutes, on every study: docs/circumstances.csv
## study-inputs  angles, moments, lengths and forces beside activation, on every study: docs/inputs_people.csv
## study-auto  the method that nem2e train begins with beside each single one, on every study: docs/auto.csv
## study-bands  what bands about refined activity cover, on every study: docs/bands.csv (UNITS=16 UPDATES=600)
## study-own-cycles  what a few own cycles of a person buy, on people and synthetic data: docs/own_cycles.csv
## study-ablations  what every choice that the paper leaves open does to Er: docs/ablations.csv (UNITS=64 UPDATES=2000 SEEDS=3: about 30 min; DATA=open, 45 min, or STUDY=folder: the network's choices; LENGTH=long: a few of them, 3 h)
## study-reach  what is told of recordings unlike training, and of people like it, on every study: docs/reach.csv
## study-generators  both SYNTHETIC generators beside recordings, over data seeds: docs/likeness.csv, docs/generators.csv (SEEDS=5)
## bench     what training costs beside PyTorch and plain Flax: build/bench.json, docs/benchmarks.md
## bench-quick  what people wait for, as ratios to yardsticks, against docs/bench_quick.csv (2 minutes; KEEP=1: let these be compared with)
## bench-paper  where the time of make paper goes, from nothing and after a change: docs/benchmarks_paper.md (10 minutes)
## bench-before  what people wait for at the command line, beside an older state: docs/benchmarks_before.md (BEFORE=commit; 6 minutes)
## bench-step  what an update of 64 units is made of, and how much faster it could be: docs/benchmarks_step.md (3 minutes)
## bench-scaling  the grid and OpenSim over workers of a dask cluster on this machine: docs/scaling.md (10 minutes)
## bench-card  the same on a machine with a graphics card: build/card.json, docs/benchmarks_card.md
## lint      format, ruff and mypy
## setup     the Python environment in .venv, from requirements.lock
## lock      requirements.lock and environment.yml anew from pyproject.toml
## clean     remove build/ (the environment and figures/ stay)
## help      this list
.PHONY: paper motion c3d notebook bundle test test-all study-claims study-long study-epochs study-learning study-outside study-attention study-attention-long study-circumstances study-inputs study-auto study-bands study-own-cycles study-ablations study-reach study-generators bench bench-quick bench-paper bench-before bench-step bench-scaling bench-card imports lint style types fast-tests all-tests setup lock clean help
help:
	@sed -n 's/^## /  make /p' Makefile

setup: $(SETUP)

# uv is one of the locked packages, so pip fetches it by its hash; without it pip installs the rest too.
$(SETUP): requirements.lock pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || \
	  { echo 'Python 3.11, 3.12 or 3.13 with venv was not found: install it, or name it with make PYTHON=…' >&2; exit 1; }
	@echo 'Setting up $(VENV) from requirements.lock …'
	@awk '/^[^ #]/ {keep = /^uv==/} keep' requirements.lock > $(VENV)/uv.lock
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ] && $(PY) -m pip install -q --require-hashes --no-deps -r $(VENV)/uv.lock 2>/dev/null; \
	  then uv=$(VENV)/bin/uv; fi; \
	if [ -n "$$uv" ] && "$$uv" pip sync -q --compile-bytecode --python $(PY) --require-hashes requirements.lock \
	  && "$$uv" pip install -q --python $(PY) --no-deps --no-build-isolation --editable .; then :; else \
	  $(PY) -m pip --version > /dev/null 2>&1 || $(PY) -m ensurepip > /dev/null; \
	  $(PY) -m pip install -q --require-hashes -r requirements.lock; \
	  $(PY) -m pip install -q --no-deps --no-build-isolation --editable .; fi
	@touch $@

notebook: $(SETUP)
	$(PY) -m jupyter lab --notebook-dir=notebooks

bundle: $(EXTRAS)
	@$(PY) -m nem2e_lib.site.bundle $(call q,$(or $(OUT),figures)) $(BUILD)/bundle

lint: style types

style: $(SETUP)
	$(VENV)/bin/ruff format --check --quiet . || { echo "Format with: $(VENV)/bin/ruff format ." >&2; exit 1; }
	$(VENV)/bin/ruff check .

types: $(SETUP)
	$(VENV)/bin/mypy

test: fast-tests types

test-all: imports style types all-tests

# What cannot be imported, and style, is told before anything that takes minutes; types are checked beside the fast tests.
# Programs of the fast tests are compiled without optimising, those of test-all as users have them.
ifeq ($(MAKECMDGOALS),test)
MAKEFLAGS += -j2
endif
PYTEST := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PY) -m pytest

fast-tests: imports style
	JAX_DISABLE_MOST_OPTIMIZATIONS=1 $(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder --durations=10 -m "not slow"

all-tests: $(EXTRAS)
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder --durations=10

imports: $(SETUP)
	@$(PY) tools/imports.py

study-claims: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.claims $(BUILD)/study-claims $(or $(filter-out 1,$(SEEDS)),3) $(or $(UNITS),16) $(or $(UPDATES),600)

study-long: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.long $(BUILD)/study-long$(if $(DATA),-$(call slug,$(DATA))) $(call q,$(DATA)) $(call q,$(MUSCLES))

study-epochs: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.epochs $(BUILD)/study-epochs $(or $(MINUTES),inf)

study-attention: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.attention $(BUILD)/study-attention $(or $(UNITS),64) $(or $(UPDATES),2000) $(PIECES)

study-attention-long: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.attention $(call q,$(FOLDER)) long

study-learning: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.learning $(BUILD)/study-learning$(if $(STUDY),-$(call slug,$(STUDY))) $(or $(UNITS),16) $(or $(UPDATES),600) $(call q,$(STUDY)) $(or $(MINUTES),inf)

study-outside: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.outside $(BUILD)/study-outside

study-circumstances: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.circumstances $(BUILD)/study-circumstances

study-inputs: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.inputs $(BUILD)/study-inputs

study-auto: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.auto $(BUILD)/study-auto

study-bands: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.bands $(BUILD)/study-bands $(or $(UNITS),16) $(or $(UPDATES),600)

study-own-cycles: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.own_cycles $(BUILD)/study-own-cycles

study-ablations: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.ablations $(BUILD)/study-ablations$(if $(STUDY),-$(call slug,$(STUDY)))$(addprefix -,$(DATA) $(LENGTH)) \
	  $(or $(UNITS),64) $(or $(UPDATES),2000) $(or $(filter-out 1,$(SEEDS)),3) $(or $(MINUTES),inf) $(call q,$(STUDY)) $(call q,$(DATA)) $(call q,$(LENGTH))

study-reach: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.reach $(BUILD)/study-reach

study-generators: $(SETUP)
	$(PY) -m nem2e_lib.paper.studies.generators $(BUILD)/study-generators $(or $(filter-out 1,$(SEEDS)),5)

bench: $(EXTRAS)
	$(ADD_TORCH)
	$(PY) -m bench $(BUILD) --page docs/benchmarks.md

bench-quick: $(SETUP)
	$(PY) -m bench.quick $(BUILD) $(if $(filter 1,$(KEEP)),--keep)

bench-paper: $(SETUP)
	$(PY) -m bench.paper $(BUILD) --profile $(PROFILE) $(if $(filter demo,$(PROFILE)),--page docs/benchmarks_paper.md)

bench-before: $(SETUP)
	$(PY) -m bench.before $(call q,$(or $(BEFORE),$(error BEFORE is missing: name the commit to compare with))) --page docs/benchmarks_before.md

bench-step: $(SETUP)
	NEM2E_DEVICES=1 $(PY) -m bench.step --page docs/benchmarks_step.md

bench-scaling: $(EXTRAS)
	$(PY) -m bench.scaling $(BUILD) --page docs/scaling.md

bench-card: $(SETUP)
	$(ADD_TORCH)
	$(PY) -m pip install -q '.[cuda]'
	$(PY) -m bench.card $(BUILD) --page docs/benchmarks_card.md

# What only the slow tests, the benchmark and the bundle need: OpenSim, dask, a fuzzer, a browser, RO-Crate.
$(EXTRAS): requirements-extra.lock $(SETUP)
	@echo 'Adding requirements-extra.lock to $(VENV) …'
	@uv=$$(command -v uv || ls $(VENV)/bin/uv 2> /dev/null || true); \
	if [ -n "$$uv" ]; then "$$uv" pip install -q --python $(PY) --require-hashes -r requirements-extra.lock; \
	else $(PY) -m pip install -q --require-hashes -r requirements-extra.lock; fi
	@touch $@

lock: $(SETUP)
	$(VENV)/bin/uv pip compile pyproject.toml --extra test --extra build --generate-hashes --no-emit-index-url \
	  --universal --python-version 3.11 --no-header --quiet --output-file requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra dask --extra opensim --extra fuzz --extra browser --extra bundle --constraint requirements.lock \
	  --generate-hashes --no-emit-index-url --python-version 3.11 --no-header --quiet --output-file requirements-extra.lock
	$(PY) tools/environment.py requirements.lock environment.yml

clean:
	rm -rf build

ifneq ($(filter paper motion c3d $(BUILD)/%,$(MAKECMDGOALS)),)
include paper.mk
endif
