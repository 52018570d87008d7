# Each target sets up all that it needs: Python 3.11 or newer is the only thing asked of the machine.
PY ?= $(shell command -v python3.11 || command -v python3)
V := .venv/bin/python
# Some images switch byte code off; Dagster's and dbt's imports then cost twice the time in every process.
export PYTHONDONTWRITEBYTECODE :=
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo install test suite types sql ui lint lock clean
.DEFAULT_GOAL := demo

demo: .venv/.ok  ## run the main job on embedded defaults and show what it did
	@.venv/bin/b2chat demo

install: .venv/.ok  ## all that services need, which then only read this folder: docs/operations.md
	@$(V) -c "from dagster_project.orchestration.dbt_project import parse; parse()"
	@$(V) -m compileall -q .venv/lib; chmod -R go+rX,go-w .venv dagster_project dbt

test: .venv/.ok  ## pass the tests
	@$(V) -m ruff check .
	@$(MAKE) --no-print-directory -j 3 types sql suite

suite: .venv/.ok
	@# Two cores: while one waits for a server, another has the core. In the order of the folders, as the long files come first:
	@# by itself xdist begins with the files of most tests, and ends with one worker at a file of four that takes minutes.
	@$(V) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# These two run beside the tests, on what those leave of the cores.
types: .venv/.ok
	@nice $(V) -m mypy

sql: .venv/.ok
	@# A quarter of the time went into walking, again and again, what was parsed and stays.
	@cd dbt && nice ../$(V) -c "import gc; gc.set_threshold(100_000); from sqlfluff.cli.commands import cli; cli()" lint --disable-progress-bar models

ui: .venv/.ok  ## open the Dagster UI on the same data
	@.venv/bin/b2chat ui

lint: .venv/.ok
	@$(V) -m ruff check --fix . && $(V) -m ruff format .

lock: .venv/.ok  ## resolve the dependencies anew into requirements.lock
	@$(V) -m uv pip compile -q --upgrade --universal --python-version 3.11 --no-strip-extras --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --extra dev pyproject.toml -o requirements.lock

clean:  ## remove the environment and the embedded data
	@rm -rf .venv .boot .b2chat dbt/target

.venv/.ok: requirements.lock pyproject.toml
	@test -x $(V) || $(PY) -m venv .venv 2>/dev/null || { rm -rf .venv; \
	  $(PY) -m pip install -q --target .boot uv && .boot/bin/uv venv -q --seed -p $(PY) .venv; }
	@$(V) -m pip install -q --disable-pip-version-check uv \
	  && $(V) -m uv pip install -q --require-hashes -p $(V) -r requirements.lock \
	  || $(V) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(V) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# Byte code of what each command imports: seconds saved where a schedule's environment lets Python write none.
	@$(V) -m compileall -q dagster_project; $(V) -c "import dagster_dbt, dagster_postgres, dbt.cli.main, dbt.adapters.postgres"
	@touch $@
