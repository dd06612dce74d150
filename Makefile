PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= out
T      ?= tests
# One more than there are cores: many tests wait for a process or a deadline.
JOBS   ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
SECONDS ?= 60
START  ?=

.PHONY: audit test test-long lint fix bench bench-quick dev docs check-docs messages first-use package sbom fuzz lock clean

audit: $(VENV)/.run ## Set up, audit the example fleet on the embedded sandbox, write the reports
	$(BIN)/bfaudit demo --output-dir $(OUT)

test: $(VENV)/.dev ## Set up and pass the tests
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(T) $(if $(K),-k "$(K)")

test-long: $(VENV)/.dev
	BFAUDIT_TEST_LONG=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(T)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Measure everything, beside what else one could write: half an hour on two idle cores
	$(BIN)/python benchmarks/scan.py
	$(BIN)/python benchmarks/adapters.py
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/evaluate.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/scale.py --simulate 10000

bench-quick: $(VENV)/.dev
	$(BIN)/python benchmarks/scan.py --quick

dev: $(VENV)/.dev

docs: $(VENV)/.dev ## Write the pages that are made from the rules, the fields and the adapters
	$(BIN)/python -m bfaudit rules list --format markdown > docs/rules.md
	$(BIN)/python -m bfaudit fields --format markdown > docs/fields.md
	$(BIN)/python -m bfaudit exchanges list --format markdown > docs/exchanges.md
	$(BIN)/python benchmarks/scale.py --write docs/scale.md

check-docs: docs ## Fail where the committed pages are not what would be written
	git diff --exit-code docs

messages: $(VENV)/.dev ## Bring the catalogues of bfaudit/locale up to date; names what is to be translated
	$(BIN)/python -m tools.messages

first-use: $(VENV)/.dev ## Run first use with the wheel in a new environment, and write docs/first-use.md with the times
	$(BIN)/python -m tools.first_use

package: $(VENV)/.dev ## Build wheel and sdist; the same bytes for the same commit
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m hatchling build

sbom: $(VENV)/.dev ## Write the software bill of materials (CycloneDX) of the lock file
	$(BIN)/python tools/sbom.py --output $(OUT)/sbom.cdx.json

fuzz: $(VENV)/.dev ## Feed every reader of foreign input for SECONDS each; START numbers the first input
	BFAUDIT_TEST_LONG=1 BFAUDIT_FUZZ_SECONDS=$(SECONDS) BFAUDIT_FUZZ_START=$(START) $(BIN)/python -m pytest -n $(JOBS) -rP tests/fuzz

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate -q -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(OUT) dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/python" -m bfaudit "$$@"\n' "$(CURDIR)" "$(abspath $(BIN))" > $(BIN)/bfaudit
	@chmod +x $(BIN)/bfaudit
	@touch $@
