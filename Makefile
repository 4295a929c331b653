# Paths below are relative on purpose: the checkout may stand in a folder with a space in its name.
PYTHON_IN_VENV = .venv/bin/python
FHIR ?= R4
PORT ?= 8080
EPISODES ?= 1000
SEED ?= 1
SECONDS ?= 600
EXAMPLES ?= 2000
ONLY ?=

.PHONY: help demo test unit lint hapi bench bench-sync bench-gateway campaign fuzz fuzz-gateway golden generated clean

help:                ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

demo:                ## the main job on sample studies, into build/fhir
	@sh tools/setup.sh
	@$(PYTHON_IN_VENV) -m tools.demo

test: lint           ## everything, real FHIR servers included
	@$(PYTHON_IN_VENV) -m pytest

unit:                ## what needs no server, in two minutes
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m pytest -q tests/unit tests/property tests/golden tests/privacy

lint:                ## style and types
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m ruff format --check --quiet .
	@$(PYTHON_IN_VENV) -m ruff check --quiet .
	@$(PYTHON_IN_VENV) -m mypy --no-error-summary

hapi:                ## a real FHIR server on loopback (FHIR=R4|R5, PORT=8080), until Ctrl-C
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) tests/hapi/server.py --fhir $(FHIR) --port $(PORT)

bench:               ## reading, the whole job, large archives, cold starts, others; docs/bench.md; fails where a ratio is missed
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m tools.bench --write

bench-sync:          ## the sync client beside a bare loader, in 20 minutes; writes docs/bench-sync.md
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m tools.bench_sync --write

bench-gateway:       ## requests/s of the gateway beside a bare echo, in 3 minutes; writes docs/gateway.md; fails where a ratio is missed
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m tools.bench_gateway --write

campaign:            ## faults of every class on a real server (EPISODES=1000, SEED=1, ONLY=class); docs/campaign.md
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m tests.campaign --episodes $(EPISODES) --seed $(SEED) --only "$(ONLY)" \
		$(if $(ONLY),,--page docs/campaign.md)

fuzz:                ## the header scan against pydicom on spoilt files, guided (SECONDS=600, SEED=1); docs/fuzz.md
	@sh tools/setup.sh fuzz
	@$(PYTHON_IN_VENV) -m tools.fuzz --seconds $(SECONDS) --seed $(SEED) --page docs/fuzz.md

fuzz-gateway:        ## requests of all kinds, as its OpenAPI document allows and as it does not (EXAMPLES=2000 a route)
	@sh tools/setup.sh test
	@FUZZ_EXAMPLES=$(EXAMPLES) $(PYTHON_IN_VENV) -m pytest -q tests/integration/test_gateway_fuzz.py

golden:              ## writes the expected files of tests/golden anew; read the diff
	@sh tools/setup.sh test
	@$(PYTHON_IN_VENV) -m pytest -q tests/golden --update-golden

generated:           ## tables, pages and the package that are made from the tables, anew
	@sh tools/setup.sh test
	@for what in tables package mapping_page findings_page recognition_page servers_page mirth_channel; do \
		$(PYTHON_IN_VENV) -m tools.generate_$$what; done

clean:               ## takes away everything that was made
	rm -rf .venv build dist tests/hapi/target
