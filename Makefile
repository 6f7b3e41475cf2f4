# One verb, one line. `make` lists them. Arguments: make run ARGS="--port-booking 9000", make test ARGS="-k launcher".

VENV_PYTHON := .venv/bin/python
READY := .venv/.installed

.PHONY: help run test check format bench explore fuzz clean

help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

run: $(READY) ## start everything on this machine, with demo data; Ctrl-C stops it
	@$(VENV_PYTHON) -m infra.local run --stop-with-parent $(ARGS)

test: $(READY) ## run all tests, two at a time
	@$(VENV_PYTHON) -m pytest --numprocesses 2 --dist worksteal $(ARGS)

check: $(READY) ## lint, formatting, types, and the numbered cases of Google Calendar
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) -m mypy --strict -p infra.local
	@$(VENV_PYTHON) -m tests.cases

format: $(READY) ## format the code
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

bench: $(READY) ## measure, print a table, write bench.json
	@$(VENV_PYTHON) -m tests.bench $(ARGS)

explore: $(READY) ## tell stories of the simulation until Ctrl-C, and what they covered; one: ARGS="--seed 123"
	@$(VENV_PYTHON) -m tests.reliability.simulation $(ARGS)

fuzz: $(READY) ## make up calls of the API by the thousands, and hold every answer to its document
	@HYPOTHESIS_PROFILE=thorough $(VENV_PYTHON) -m pytest tests/contract/test_surface.py --timeout 0 $(ARGS)

clean: ## forget what `make run` kept in .local
	@if [ -x $(VENV_PYTHON) ]; then $(VENV_PYTHON) -m infra.local clean; else rm -rf .local; fi

# The virtual environment, made anew whenever a requirements file changed.
$(READY): requirements.txt infra/local/requirements.txt tests/requirements.txt infra/local/setup.sh
	@sh infra/local/setup.sh
	@$(VENV_PYTHON) -m infra.local.firestore --fetch || true # without it the stand-in serves, and says so
	@touch $@
