# Every target makes the virtual environment first and installs what is needed, again only when
# pyproject.toml has changed. Another interpreter: make test PYTHON=python3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# pyright looks for the packages of the first python in the path.
IN_VENV := PATH="$(abspath $(BIN)):$$PATH"

.PHONY: help demo test test-websockets test-aiohttp test-uvloop tour bench bench-quick bench-batch soak \
	emulator-conformance lint types check format clean

help:
	@echo 'make demo    transcribe real speech with a local Deepgram, or with DEEPGRAM_API_KEY set with the real one'
	@echo 'make test    run the tests                            (make test ARGS="-k live")'
	@echo 'make test-websockets    run the tests of the streams with other versions of websockets, and the plain way'
	@echo 'make test-aiohttp    run the tests of REST with other versions of aiohttp, and the plain way'
	@echo 'make test-uvloop    run the tests of REST and of the streams on uvloop'
	@echo 'make tour    lead the JavaScript SDK of Deepgram through the emulator (needs Node and npm)'
	@echo 'make bench   compare CPU and memory with deepgram-sdk, and write it down (15 minutes)'
	@echo 'make bench-quick   the same in a minute, rough, written nowhere  (make bench-quick ARGS="--only chunk")'
	@echo 'make bench-batch   drill a batch of ten thousand items, kills included (5 minutes)'
	@echo 'make soak    disturb streams of half an hour       (make soak ARGS="--seeds 2")'
	@echo 'make emulator-conformance    call the local Deepgram with thousands of good and bad requests (2 minutes)'
	@echo 'make lint    check style and spelling'
	@echo 'make types   check types'
	@echo 'make check   lint, types, test'
	@echo 'make format  fix what can be fixed'
	@echo 'make clean   remove the virtual environment and caches'

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.11 ...' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV) (once; about a minute) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $@

demo: $(READY)
	@$(BIN)/python examples/demo.py $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

# The streams without their fast path, and the fast path with each version of websockets it is made for.
WEBSOCKETS := 15.0.1 16.0 17.0.1
test-websockets: $(READY)
	$(BIN)/python -m pytest -q tests/stream --plain-websockets
	@for version in $(WEBSOCKETS); do \
		echo "websockets $$version"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
			--target $(VENV)/websockets-$$version websockets==$$version && \
		PYTHONPATH=$(VENV)/websockets-$$version $(BIN)/python -m pytest -q tests/io/test_fast_websocket.py \
			tests/stream || exit 1; \
	done

# REST without short requests, and with each version of aiohttp that they are made for.
AIOHTTP := 3.14.0 3.14.3 3.14.5
REST := tests/io/test_attempts.py tests/io/test_http.py tests/io/test_short_requests.py tests/io/test_tls_and_proxy.py \
	tests/io/test_transport.py tests/io/test_uploads.py
test-aiohttp: $(READY)
	$(BIN)/python -m pytest -q $(REST) --plain-http
	@for version in $(AIOHTTP); do \
		echo "aiohttp $$version"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
			--target $(VENV)/aiohttp-$$version aiohttp==$$version && \
		PYTHONPATH=$(VENV)/aiohttp-$$version $(BIN)/python -m pytest -q $(REST) || exit 1; \
	done

test-uvloop: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uvloop
	$(BIN)/python -m pytest -q -n auto $(REST) tests/resources tests/stream tests/io/test_tls.py --uvloop

tour: $(READY)
	@$(BIN)/python -m tests.tour --folder $(VENV)/npm $(ARGS)

bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@$(BIN)/python -m benchmarks --check --json benchmarks/figures.json $(ARGS)

bench-quick: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@$(BIN)/python -m benchmarks --quick --check $(ARGS)

bench-batch: $(READY)
	@$(BIN)/python -m benchmarks.batch $(ARGS)

soak: $(READY)
	@$(BIN)/python -m benchmarks.soak $(ARGS)

emulator-conformance: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@$(BIN)/python -m tests.emulator.fuzz $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(READY)
	$(BIN)/mypy
	$(IN_VENV) pyright
	$(IN_VENV) pyright --verifytypes deepgram_async --ignoreexternal

check: lint types test

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
