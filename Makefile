# `make demo` shows what the program does, `make test` checks that it does it.
# All Python packages go to .venv; another interpreter: make PYTHON=python3.12 …

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What a window needs on a machine without a screen.
DISPLAY_PACKAGES := xvfb libegl1 libopengl0 libxcb-cursor0 libxkbcommon-x11-0 \
	libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 \
	libxcb-xinerama0 libdbus-1-3

# Windows of tests open on a virtual screen where there is no other. Both are looked
# up when the tests begin, as what they need may be installed just before.
ON_A_SCREEN = $(if $(DISPLAY)$(WAYLAND_DISPLAY),,$(if $(shell command -v xvfb-run 2>/dev/null),\
	xvfb-run -a -s "-screen 0 1400x900x24 -ac +extension GLX"))
# Without the libraries of Qt its plugin would end pytest before the first test.
QT_OR_NOT = $(if $(shell $(BIN)/python -c 'import qtpy.QtWidgets' 2>/dev/null && echo yes),,\
	$(if $(CI),,-p no:pytest-qt))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint fuzz soak matrix docs screenshots bench sample clean display

help: ## Say what there is to make.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/with-run ## Coadd sample_data into demo/, and score it.
	@mkdir -p demo
	@echo "running comparewarp on sample_data (its first run compiles for half a minute)"
	@$(BIN)/comparewarp run sample_data -o demo/coadd.fits --masks demo/masks \
		--footprints demo/footprints.ecsv --regions demo/footprints.reg \
		--debug-products demo/pictures --overwrite
	@$(BIN)/comparewarp score demo/coadd.fits --truth sample_data/truth --masks demo/masks

test: display lint ## Install what the tests need, lint, and test.
	@$(ON_A_SCREEN) $(BIN)/python -m pytest -q -n 2 $(QT_OR_NOT)

lint: $(VENV)/with-test ## Check style, format and types.
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary

# What was wrong is kept in .fuzz; the same seed draws the same mutants.
N ?= 10000
KILLS ?= 200
STEPS ?= 2000
SEED ?= 1
FUZZ = PYTHONPATH=tests $(BIN)/python -m fuzz

fuzz: $(VENV)/with-test ## Try N=10000 mutants of files, and 200 kills, with another SEED=…
	@failed=0; \
	$(FUZZ).campaign $(N) --seed $(SEED) || failed=1; \
	$(FUZZ).kills $(KILLS) --seed $(SEED) || failed=1; \
	exit $$failed

soak: display $(VENV)/with-test ## Use an inspection and a window for STEPS=2000 steps.
	@$(FUZZ).soak inspection $(STEPS)
	@$(ON_A_SCREEN) env $(FUZZ).soak window $(STEPS)

docs: display $(VENV)/with-docs ## Build the documentation in docs/_build/html.
	@$(BIN)/python -m sphinx -W --keep-going -n -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

screenshots: display $(VENV)/with-test ## Make the pictures of the window in docs/images again.
	@$(ON_A_SCREEN) $(BIN)/python docs/screenshots.py

bench: display $(VENV)/with-bench ## Measure time and memory against other programs.
	@.ci/debian-packages swarp || echo "going on without SWarp"
	@$(ON_A_SCREEN) $(BIN)/python tests/benchmarks/run.py --growth

sample: $(VENV)/with-run ## Make sample_data again, pixel for pixel.
	@$(BIN)/comparewarp simulate sample_data --epochs 10 --size 512 512 --seed 35 --overwrite

matrix: display ## Test with every Python, both bindings of Qt, and the oldest packages.
	@$(PYTHON) -m venv $(VENV)-tox && $(VENV)-tox/bin/python -m pip install --quiet tox tox-uv
	@$(ON_A_SCREEN) $(VENV)-tox/bin/tox run

clean: ## Remove all that was made, the environment too.
	rm -rf $(VENV) $(VENV)-tox .tox build dist demo docs/_build docs/generated *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
	find napari_comparewarp tests docs -name __pycache__ -prune -exec rm -rf {} +

display:
	@.ci/debian-packages $(DISPLAY_PACKAGES) || echo "going on without a virtual display"

# A stamp for each set of packages that is installed; another pyproject.toml
# makes them old.
$(VENV)/with-run: EXTRA :=
$(VENV)/with-test: EXTRA := [test]
$(VENV)/with-docs: EXTRA := [all,docs]
$(VENV)/with-bench: EXTRA := [all,bench]

$(VENV)/with-%: pyproject.toml $(VENV)/made
	@echo "installing .$(EXTRA) and what it needs into $(VENV)"
	@$(PIP) --editable '.$(EXTRA)'
	@touch $@

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is not Python 3.11 or newer; say make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/debian-packages python3-venv || \
		{ echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@
