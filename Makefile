# One word per chore. PYTHON is the interpreter of the environment that holds simgate[dev].
PYTHON ?= python3
DATA ?= ../shared/data

.PHONY: install check test chart fuzz audit sbom bench protos bundle report

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
	PYTHONPATH=tests $(PYTHON) -m benchmarks.engines --data $(DATA)

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
