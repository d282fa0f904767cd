# All commands of this repository, for people and CI. Needs Python 3.11 or later with its venv module, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A change of these reinstalls the packages; the code itself is installed editable.
INPUTS := pyproject.toml constraints.txt
CHECKED := src tests benchmarks examples
# More than there are cores, because many tests wait for another process.
TEST_PROCESSES ?= $(shell expr $$(nproc) + 2)

# With it, each new process would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo docs test check format bench bench-scale bench-search bench-speech bench-speakers bench-vocabulary bench-long bench-gpu chaos fuzz fuzz-api constraints licenses sbom clean

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(VENV)/runtime.stamp ## Create .venv with the batchscribe command

demo: $(VENV)/runtime.stamp ## Transcribe the recordings in examples/audio; pull a speech model if there is none
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

docs: $(VENV)/dev.stamp ## Build the site of the documents into build/site, and check its links
	$(BIN)/zensical build --strict

test: $(VENV)/dev.stamp ## Run all tests, and measure which lines and branches they reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses $(TEST_PROCESSES) --no-loadscope-reorder
	$(BIN)/coverage combine --quiet
	@rm -f .coverage.*  # of processes that were killed while they saved
	@bash -o pipefail -c '$(BIN)/coverage report --skip-covered --sort=cover | sed -n "1,25p;/^TOTAL/p;/^Coverage/p"'

check: $(VENV)/dev.stamp ## Check lint, format, types, import layers, dead code, Dockerfiles, spelling, style and the links of the site
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy $(CHECKED)
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/hadolint deploy/Dockerfile deploy/Dockerfile.cuda
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/codespell $(CHECKED) docs $(wildcard *.md) Makefile
	$(BIN)/python -m tests.terms
	$(BIN)/zensical build --strict

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

bench: $(VENV)/dev.stamp ## Measure speed, overhead, memory, the commands and the HTTP interface
	$(BIN)/python -m benchmarks

bench-scale: $(VENV)/dev.stamp ## Measure a million files and two workers, on SQLite and PostgreSQL: 15 minutes
	$(BIN)/python -m benchmarks.scale

bench-search: $(VENV)/dev.stamp ## Measure searches in 10,000 transcripts, on SQLite and PostgreSQL: 10 minutes
	$(BIN)/python -m benchmarks.search

bench-speech: $(VENV)/dev.stamp ## Measure accuracy and cost of all installed models, and write docs/accuracy.md: 25 minutes per model
	$(BIN)/python -m benchmarks.speech

bench-vocabulary: $(VENV)/dev.stamp ## Measure what a vocabulary changes, with the model base: 15 minutes
	$(BIN)/python -m benchmarks.vocabulary

bench-speakers: $(VENV)/dev.stamp ## Measure accuracy and cost of diarization, on conversations made from the corpus: 10 minutes
	$(BIN)/python -m benchmarks.speakers

bench-long: $(VENV)/dev.stamp ## Measure memory, cores, resuming and canceling with long recordings: 15 minutes
	$(BIN)/python -m benchmarks.long

bench-gpu: $(VENV)/dev.stamp ## Compare the whole flow with the engine alone on an NVIDIA GPU, without a network: 10 minutes
	$(BIN)/python -m benchmarks.gpu

chaos: $(VENV)/dev.stamp ## Kill processes, cut connections, fill disks and make workers sick 200 times, and write docs/chaos.md
	$(BIN)/python -m tests.chaos

fuzz: $(VENV)/dev.stamp ## Decode 10,000 mutated recordings, and write docs/fuzz.md
	$(BIN)/python -m tests.fuzz

fuzz-api: $(VENV)/dev.stamp ## Send 50,000 odd requests to a server and print the findings: 10 minutes
	$(BIN)/python -m tests.fuzz.api

constraints: $(VENV)/dev.stamp ## Pin the newest versions that pyproject.toml allows
	printf 'pip\nhatchling\n' | $(BIN)/uv pip compile pyproject.toml - --group dev --all-extras --universal --upgrade \
	  --python-version 3.11 --custom-compile-command 'make constraints' --no-annotate --no-emit-index-url --no-emit-find-links --output-file constraints.txt

licenses: $(VENV)/dev.stamp ## Write docs/licenses.md: every pinned package with its license
	$(BIN)/python -m tests.licenses

sbom: $(VENV)/dev.stamp ## Build sdist and wheel into dist, with a bill of materials (CycloneDX)
	$(BIN)/python -m tests.sbom

clean: ## Remove all that make created
	rm -rf $(VENV) .demo .cache build/site dist

# pip first: Python 3.11 comes with one that does not support dependency groups.
$(VENV)/runtime.stamp: $(INPUTS)
	@echo "Setting up $(VENV): about a minute, and only when $(INPUTS) change."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt pip
	$(PIP) install --quiet --constraint constraints.txt --build-constraint constraints.txt --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp
	$(PIP) install --quiet --constraint constraints.txt --group dev
	@touch $@
