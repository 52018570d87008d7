"""Where the dbt project lies, and its manifest: made when it is missing or older than the models."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.dagster_dbt_alone import DbtProject
from dagster_project.settings import PROJECT_ROOT, Settings, variable_name

DBT_DIR = PROJECT_ROOT / "dbt"
dbt_project = DbtProject(project_dir=DBT_DIR, profiles_dir=DBT_DIR)


class DbtParseFailed(Exception):
    """The dbt project does not parse; the text is what dbt says."""


class DocsFailed(Exception):
    """dbt cannot write its documentation; the text is what dbt says."""


class DbtCannotConnect(Exception):
    """dbt does not reach the warehouse; the text is what dbt says."""


def manifest() -> Path:
    """The manifest's path; parses the project first where a file of it is newer.

    Raises:
        DbtParseFailed: the project does not parse.
    """
    path = dbt_project.manifest_path
    if not path.exists() or path.stat().st_mtime < _newest_source():
        parse()
    return path


def parse() -> None:
    """Make the manifest anew. Needs no database."""
    done = _run("parse", "--target-path", DBT_DIR / "target", "--log-path", DBT_DIR / "target")
    if done.returncode:
        raise DbtParseFailed(done.stdout.strip()[-2000:])
    # dbt leaves the manifest's time as it was where nothing but comments changed.
    dbt_project.manifest_path.touch()


def require_connection() -> None:
    """Let dbt connect to the warehouse, as it does in a build.

    Raises:
        DbtCannotConnect: it cannot.
    """
    done = _run("debug", "--connection", "--log-path", Settings.load().data_path / "logs")
    if done.returncode:
        said = done.stdout.partition("returned the following error:")[2].partition("Check your database")[0]
        raise DbtCannotConnect(" ".join((said or done.stdout[-500:]).replace(">Database Error", "").split()))


def write_docs(page: Path) -> None:
    """Write dbt's documentation of all models, with the lineage, as one page that asks nothing of any server.

    Raises:
        DocsFailed: dbt says what is wrong.
    """
    with tempfile.TemporaryDirectory(dir=Settings.load().data_path) as scratch:
        done = _run("docs generate", "--static", "--target-path", scratch, "--log-path", scratch)
        if done.returncode:
            raise DocsFailed((done.stdout or done.stderr).strip()[-2000:])
        text = Path(scratch, "static_index.html").read_text()
    page.parent.mkdir(parents=True, exist_ok=True)
    # Where this machine keeps its files is nobody's business.
    page.write_text(text.replace(scratch, "target").replace(str(DBT_DIR), "dbt"))


def _run(command: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name != "DBT_TARGET_PATH"}
    return subprocess.run(
        [
            executable(),
            "--no-use-colors",
            "--no-version-check",
            *command.split(),
            "--project-dir",
            DBT_DIR,
            "--profiles-dir",
            DBT_DIR,
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=DBT_DIR,
        env=single_dbt.environment(own) | variables(Settings.load()),
    )


def executable(program: str = "dbt") -> str:
    """A program of this environment, also where the environment is not activated."""
    return str(Path(sys.executable).parent / program)


def fingerprint(settings: Settings) -> str:
    """A hash of what decides what dbt builds from the same data: each file of the project, the settings it reads."""
    found = hashlib.sha256(repr([getattr(settings, name) for name in single_dbt.READ_BY_MODELS]).encode())
    for file in sorted(file for file in _sources() if file.is_file()):
        found.update(str(file.relative_to(DBT_DIR)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def variables(settings: Settings) -> dict[str, str]:
    """The settings that models read, as the environment has them: they stand in what dbt parses."""
    return {variable_name(name): str(getattr(settings, name)) for name in single_dbt.READ_BY_MODELS}


def _newest_source() -> float:
    return max(file.stat().st_mtime for file in _sources())


def _sources() -> Iterator[Path]:
    for part in ("models", "macros", "seeds", "tests"):
        yield from (DBT_DIR / part).rglob("*")
    yield from DBT_DIR.glob("*.yml")
