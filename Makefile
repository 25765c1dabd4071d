# One word per chore. PYTHON is the interpreter of the environment that holds simgate[dev].
PYTHON ?= python3
DATA ?= ../shared/data
# Of the image: what simgate is installed with, the lock that has it, and what docker calls the image: IMAGE:TAG,
# by default with the version, which the chart asks for.
EXTRAS ?= elasticsearch,tracing
LOCK ?= requirements.txt
BASE ?= debian:bookworm-slim
IMAGE ?= simgate
TAG ?= $(VERSION)
DOCKER ?= docker
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
comma := ,

# Where `make size` puts what it measures: in the repository, since the page is made of it.
FIGURES ?= tests/benchmarks/figures

.PHONY: install check test chart fuzz audit sbom bench size protos bundle report image lock

install:  ## this checkout with everything needed to work on it
	$(PYTHON) -m pip install -e '.[dev]'

check:  ## lint, format, types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test:  ## every test and example, warnings as errors, with coverage
	$(PYTHON) -m pytest --cov --cov-report=term

chart:  ## the Helm chart alone: linted, rendered in every mode, held against the schemas of Kubernetes and of operators
	.ci/chart-tools build/chart
	PATH="$(CURDIR)/build/chart:$$PATH" SIMGATE_CHART=required $(PYTHON) -m pytest tests/test_chart_*.py

audit:  ## known vulnerabilities: fails for what serves, tells of the rest; says so if advisories cannot be had
	$(PYTHON) .ci/audit.py

sbom:  ## the software bill of materials of what serves, in build/sbom.json
	$(PYTHON) .ci/sbom.py build/sbom.json

fuzz:  ## a million bad inputs to everything that reads one, in ten minutes or so
	PYTHONPATH=.:tests $(PYTHON) -m fuzz.run

bench:  ## speed and memory, both sides in the same run
	$(PYTHON) -m onnx_export.evaluation.speed
	PYTHONPATH=tests $(PYTHON) -m benchmarks.depths
	PYTHONPATH=tests $(PYTHON) -m benchmarks.peers
	PYTHONPATH=tests $(PYTHON) -m benchmarks.cost
	PYTHONPATH=tests $(PYTHON) -m benchmarks.calls
	PYTHONPATH=tests $(PYTHON) -m benchmarks.load
	PYTHONPATH=tests $(PYTHON) -m benchmarks.offline
	PYTHONPATH=tests $(PYTHON) -m benchmarks.engines --data $(DATA)

size:  ## the constants of sizing, measured on an idle machine in half an hour, and the page that is made of them
	PYTHONPATH=tests $(PYTHON) -m benchmarks.depths --json $(FIGURES)/depths.json
	PYTHONPATH=tests $(PYTHON) -m benchmarks.cost --json $(FIGURES)/cost.json
	PYTHONPATH=tests $(PYTHON) -m benchmarks.calls --json $(FIGURES)/calls.json
	PYTHONPATH=tests $(PYTHON) -m benchmarks.engines --data $(DATA) --json $(FIGURES)/engines.json
	PYTHONPATH=tests $(PYTHON) -m benchmarks.sizing --figures $(FIGURES)

protos:  ## the generated gRPC stubs, with the oldest grpcio that pyproject.toml allows: newer stubs refuse older runtimes
	$(PYTHON) -m venv build/protos && build/protos/bin/pip install -q grpcio-tools==1.73.0
	build/protos/bin/python -m grpc_tools.protoc -I . --python_out=. --grpc_python_out=. --pyi_out=. \
		plugin_server/simgate_v1.proto plugin_server/tei_v1.proto

bundle:  ## train and convert the bundle that ships, from the data in DATA
	$(PYTHON) -m plugin_server train default --data $(DATA) --output runs/default
	$(PYTHON) -m plugin_server convert runs/default/checkpoint.pt plugin_server/default_bundle

report:  ## measure the bundle that ships on the report sets in DATA
	$(PYTHON) -m plugin_server evaluate default --data $(DATA) --triples tests/data/triples.jsonl \
		--cache runs/cache --record --output runs/report.md

image:  ## the container image, labelled from git
	$(DOCKER) build -t $(IMAGE):$(TAG) --build-arg BASE=$(BASE) --build-arg EXTRAS=$(EXTRAS) --build-arg LOCK=$(LOCK) \
		--build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git describe --always --abbrev=40 --dirty --exclude '*') \
		--build-arg CREATED=$$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ) \
		--build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .

lock:  ## the versions and hashes of what the image holds, in LOCK, for EXTRAS
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q uv
	echo 'setuptools>=77' | build/lock/bin/uv pip compile -q pyproject.toml - --universal --python-version 3.11 \
		$(foreach extra,$(subst $(comma), ,$(EXTRAS)),--extra $(extra)) --generate-hashes --upgrade --no-emit-index-url \
		--no-annotate --custom-compile-command 'make lock EXTRAS=$(EXTRAS) LOCK=$(LOCK)' -o $(LOCK)
