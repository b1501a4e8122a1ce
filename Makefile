# make demo    serves sample customers of emulated providers; nothing needs to be prepared
# make test    installs and passes the whole test suite
# make web     builds GraphiQL and the dashboard, which `make demo` and `make test` do where there
#              is npm
# make bench   measures the gateway beside other servers; TABLE=README.md writes what came of it
# make figures measures what the tests of speed and size hold to limits, and shows the figures
# make reference writes the configuration's table into the README
# make check   everything else that has to hold: format, types, layers, printed schema, pins

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test web web-where-possible clients-where-possible \
	peers-where-possible bench figures check schema reference pins clean

demo: $(VENV)/installed web-where-possible
	@$(BIN)/credit-gateway demo $(if $(PORT),--port $(PORT))

# Most of what a test takes it waits, so that one more than two processors pays.
WORKERS ?= 3
test: $(VENV)/installed-for-tests web-where-possible clients-where-possible
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

WEB = app/web
web: $(WEB)/built/dashboard/index.html

# All else works without pages.
web-where-possible:
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory web \
		|| echo "The pages are not built; \`make web\` tries again."

CLIENTS = tests/clients
# Independent clients and auditors, in JavaScript; the tests by them are skipped without.
clients-where-possible:
	@command -v npm >/dev/null && $(MAKE) --no-print-directory $(CLIENTS)/node_modules/.installed \
		|| echo "No JavaScript clients: \`npm ci\` in $(CLIENTS) needs Node.js 20.19 or newer and its npm."

PEERS = tests/benchmarks/peers
# Other servers of GraphQL; what is in JavaScript is left out of the measurement without npm.
peers-where-possible:
	@command -v npm >/dev/null && $(MAKE) --no-print-directory $(PEERS)/node_modules/.installed \
		|| echo "No peers in JavaScript: \`npm ci\` in $(PEERS) needs Node.js 20.19 or newer and its npm."

# A load lasts so long. With four seconds all of them take about eight minutes.
BENCH_SECONDS ?= 4
bench: $(VENV)/installed-for-tests peers-where-possible
	@PYTHONPATH=tests:tests/benchmarks:tests/cli $(BIN)/python tests/benchmarks/bench.py \
		--seconds $(BENCH_SECONDS) $(if $(TABLE),--table $(TABLE))

figures: $(VENV)/installed-for-tests
	@PYTHONPATH=tests/benchmarks $(BIN)/pytest -q -p figures tests/benchmarks tests/processes

check: $(VENV)/installed-for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/credit-gateway schema | diff schema.graphql -

schema: $(VENV)/installed
	$(BIN)/credit-gateway schema > schema.graphql

# The configuration's table in the README, from the settings.
reference: $(VENV)/installed-for-tests
	@PYTHONPATH=. $(BIN)/python tests/readme/reference_table.py

# Newer versions for docker/*.txt, which everything installs from.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --quiet \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-config \
	--custom-compile-command "make pins" --upgrade
pins: $(VENV)/installed-for-tests
	$(COMPILE) --extra build --output-file docker/requirements.txt
	$(COMPILE) --extra build --extra dev --constraint docker/requirements.txt \
		--output-file docker/requirements-dev.txt

clean:
	rm -rf $(WEB)/built $(WEB)/node_modules $(CLIENTS)/node_modules $(PEERS)/node_modules dist
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python has no venv here; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check
$(VENV)/installed: $(VENV)/python docker/requirements.txt pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(INSTALL) --require-hashes -r docker/requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-for-tests: $(VENV)/installed docker/requirements-dev.txt
	@$(INSTALL) --require-hashes -r docker/requirements-dev.txt
	@touch $@

$(WEB)/node_modules/.package-lock.json: $(addprefix $(WEB)/,package.json package-lock.json .npmrc)
	@command -v npm >/dev/null \
		|| { echo "The pages are built with Node.js 20.19 or newer and its npm; install them first"; exit 1; }
	@echo "Installing what the pages are built from …"
	@cd $(WEB) && npm ci --loglevel=error >/dev/null
	@touch $@

$(CLIENTS)/node_modules/.installed: $(addprefix $(CLIENTS)/,package.json package-lock.json .npmrc)
	@echo "Installing clients and auditors in JavaScript …"
	@cd $(CLIENTS) && npm ci --loglevel=error >/dev/null
	@touch $@

$(PEERS)/node_modules/.installed: $(addprefix $(PEERS)/,package.json package-lock.json .npmrc)
	@echo "Installing the peers in JavaScript …"
	@cd $(PEERS) && npm ci --loglevel=error >/dev/null
	@touch $@

# It is what is built last.
$(WEB)/built/dashboard/index.html: $(WEB)/node_modules/.package-lock.json \
		$(WEB)/building.js $(wildcard $(addprefix $(WEB)/,graphiql/* graphiql/*/* dashboard/* dashboard/*/*))
	@echo "Building GraphiQL and the dashboard …"
	@cd $(WEB) && rm -rf built && npm run --silent build
