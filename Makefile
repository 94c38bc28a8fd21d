# Everything this project can be asked for. `make demo` and `make test` set up what they need.

PYTHON ?= python3
CARGO ?= cargo
IMAGE ?= thicket
VENV := target/venv
SECONDS ?= 60
FUZZED := pickle legacy json ubjson onnx pack archive csv
SDK := target/sdk
THICKET := target/release/thicket
BENCH_BIN := target/release/thicket-bench

.PHONY: help demo test lint test-rust test-system test-image test-slow campaign fuzz build build-dist build-bench runtimes image bench bench-rivals density soak schedules clean

help: ## Lists the targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: build runtimes ## Serves four real models on loopback, invokes each twice, prints a table.
	$(PYTHON) tools/demo.py $(THICKET)

test: lint test-rust test-system ## Everything CI runs. The image's tests join in where there is a Docker engine.
	@if docker info >/dev/null 2>&1; then $(MAKE) test-image; \
	else echo 'no Docker engine here: the tests of the image (make test-image) were left out'; fi

lint: ## Formatting and lints.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --all-features -- -D warnings

test-rust: runtimes ## Unit tests, doc tests, and the crates from outside.
	$(CARGO) test --release --workspace

test-system: build build-bench runtimes $(VENV)/installed $(SDK)/installed ## The built server with real clients and a real S3 server.
	$(PYTHON) tests/tools/install.py
	$(VENV)/bin/python -m pytest --quiet --ignore tests/system/test_image.py tests/system

test-image: image $(VENV)/installed ## The image, run with a memory limit and without rights.
	THICKET_IMAGE=$(IMAGE) $(VENV)/bin/python -m pytest --quiet tests/system/test_image.py

test-slow: build $(VENV)/installed ## Slow clients and tiny chunks in numbers, and slowhttptest's attacks.
	THICKET_SLOW_CLIENTS=1000 THICKET_SLOW_KINDS=head,body,read THICKET_CHUNKED_REQUESTS=100 \
		$(VENV)/bin/python -m pytest --quiet -rP tests/system/test_slow_clients.py tests/system/test_http.py
	$(PYTHON) tests/tools/install.py slowhttptest
	$(VENV)/bin/python tests/system/slow_http.py $(THICKET)

campaign: build runtimes $(VENV)/installed ## Damaged files in numbers, random models, both beside XGBoost and ONNX Runtime; 200 stops under load.
	THICKET_CAMPAIGN_FILES=21000 $(CARGO) test --release --workspace --test campaign -- --nocapture
	THICKET_RANDOM_MODELS=1000 $(VENV)/bin/python -m pytest --quiet -rP tests/system/test_random_models.py
	$(VENV)/bin/python tests/system/campaign.py $(THICKET) --files 6000
	THICKET_STOPS=200 $(VENV)/bin/python -m pytest --quiet -rP tests/system/test_stop.py

fuzz: ## Each reader under cargo-fuzz for SECONDS (60), one after the other.
	cd fuzz && for target in $(FUZZED); do mkdir -p target/found/$$target && \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none --fuzz-dir . $$target target/found/$$target corpus/$$target -- \
		-max_total_time=$(SECONDS) -timeout=1 -rss_limit_mb=512 || exit 1; done

bench: ## Criterion's benches: CSV, kernels, registry, codecs, conversion; BENCH=csv runs one.
	$(CARGO) bench --workspace $(if $(BENCH),--bench $(BENCH),--bench '*')

density: build build-bench ## 10,000 models behind S3 in 512 MiB, AWS's stack in as much, docs/density.md anew. MODELS=600 SPAN=5: a quick look.
	$(PYTHON) tests/tools/install.py
	$(BENCH_BIN) density $(if $(MODELS),--models $(MODELS)) $(if $(SPAN),--seconds $(SPAN)) --out target/density
	$(PYTHON) benches/rivals/density.py --out target/density
	$(BENCH_BIN) report target/density $(if $(MODELS)$(SPAN),,--into docs/density.md)

soak: build-bench ## 100,000 cycles of load, invoke, let go on 32 connections; a server that leaks on purpose must be noticed.
	$(CARGO) build --release --workspace --bin thicket --features thicket-engine/planted-leak
	cp $(THICKET) $(THICKET)-leaking
	$(MAKE) build
	$(BENCH_BIN) soak --thicket $(THICKET)
	$(BENCH_BIN) soak --thicket $(THICKET)-leaking --planted

schedules: ## The registry's names and slots under thousands of schedules of their threads. Built apart, without S3.
	RUSTFLAGS="--cfg shuttle" $(CARGO) test --release --package thicket-engine --lib --target-dir target/schedules schedules

# For the whole workspace, so that dependencies have the features that tests have, and none is built twice.
build: ## The server's binary.
	$(CARGO) build --release --workspace --bin thicket

build-dist: ## The server's binary as it is released: linked as one, which takes minutes longer.
	$(CARGO) build --profile dist --workspace --bin thicket

build-bench: ## The harness's binary.
	$(CARGO) build --release --workspace --bin thicket-bench

runtimes: ## The shared libraries of ONNX Runtime and XGBoost, into runtimes/.
	$(PYTHON) tools/runtimes.py

image: ## The container image, from local bases where none can be pulled.
	$(PYTHON) tools/image/build.py --tag $(IMAGE)

bench-rivals: build-dist build-bench runtimes ## thicket beside XGBoost, ONNX Runtime, AWS's stack and others, one table of ratios. QUICK=1: three minutes.
	$(PYTHON) benches/rivals/compare.py $(if $(QUICK),--quick)

$(VENV)/installed: tests/system/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# An environment of its own: the SDK's dependencies are not those of the other tests.
$(SDK)/installed: tests/system/sdk/requirements.txt
	$(PYTHON) -m venv $(SDK)
	$(SDK)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement $<
	touch $@

clean: ## Removes what was built, but not what was installed.
	$(CARGO) clean
