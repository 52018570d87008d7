"""The house's rules, held by tests: which way imports run, and what must not be in any file."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "dagster_project"
# From the bottom up: a package imports those above it in this list only as it is said here.
MAY_IMPORT = {
    "settings": set(),
    "warehouse": {"settings"},
    "sources": {"warehouse"},
    "ingestion": {"sources", "warehouse", "settings"},
    "analysis": {"warehouse", "settings"},
    "database_audit": {"warehouse", "settings"},
    "exports": {"analysis", "warehouse", "settings"},  # reports name labels as the taxonomy does
    "erasure": {"sources", "ingestion", "exports", "warehouse", "settings"},
    "alerts": {"sources", "analysis", "exports", "warehouse", "settings"},
    "dashboard": {"exports", "warehouse", "settings"},  # it shows what reports show, in the same words
    "questions": {"exports", "warehouse", "settings"},  # the heatmap's picture is the exports'
    "deployment": {"sources", "warehouse", "settings"},
    "orchestration": {
        "sources",
        "warehouse",
        "settings",
        "ingestion",
        "analysis",
        "database_audit",
        "exports",
        "erasure",
        "alerts",
        "dashboard",
    },
}
WITHOUT_DAGSTER = sorted(set(MAY_IMPORT) - {"orchestration", "deployment"})


def imported_packages(file: Path) -> set[str]:
    """The packages of this project that a file imports."""
    packages = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module == "dagster_project":
            names = [f"dagster_project.{alias.name}" for alias in node.names]
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        packages |= {name.split(".")[1] for name in names if name.startswith("dagster_project.")}
    return packages


def files_of(package: str) -> list[Path]:
    folder = PACKAGE / package
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{package}.py"]


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_package_imports_only_those_below_it(package: str) -> None:
    for file in files_of(package):
        assert imported_packages(file) - {package} <= MAY_IMPORT[package], file.name


def imported_modules(file: Path) -> set[str]:
    """The modules of this project that a file imports, below its package: `sources.contract`."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom) and node.module]
    names = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return {name.removeprefix("dagster_project.") for name in names if name.startswith("dagster_project.")}


def test_ingestion_knows_the_contract_and_no_source() -> None:
    for file in files_of("ingestion"):
        known = {name for name in imported_modules(file) if name.startswith("sources.")}
        assert all(name.startswith("sources.contract.") for name in known), file.name


def test_no_source_knows_another() -> None:
    packages = {folder.name for folder in (PACKAGE / "sources").iterdir() if (folder / "entities.py").exists()}
    assert {"b2chat", "b2chat_audit", "rooms", "calls"} <= packages
    for package in packages:
        for file in sorted((PACKAGE / "sources" / package).rglob("*.py")):
            others = packages - {package}
            assert not any(name.split(".")[1] in others for name in imported_modules(file) if "." in name), file.name


@pytest.mark.parametrize("package", WITHOUT_DAGSTER)
def test_no_package_below_orchestration_knows_dagster(package: str) -> None:
    for file in files_of(package):
        assert not re.search(r"^\s*(import|from) dagster\b", file.read_text(), re.MULTILINE), file.name


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    banned = re.compile(
        "|".join(["py" + r"pi\.org", r"pythonhosted\.", "npm" + r"js\.(org|com)", "/wo" + "rk/", "/ro" + "ot/"])
    )
    for name in tracked.stdout.splitlines():
        path = PROJECT_ROOT / name
        if path.suffix not in (".png", ".ttf") and path.exists():
            assert not banned.search(path.read_text()), name


def test_the_lock_holds_a_hash_for_every_package_and_no_address() -> None:
    text = (PROJECT_ROOT / "requirements.lock").read_text()
    assert "://" not in text
    packages = re.findall(r"^[A-Za-z0-9_.\[\],-]+==", text, re.MULTILINE)
    assert len(packages) > 100
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[A-Za-z0-9])", text.strip()))


def test_migrations_follow_each_other_in_one_line() -> None:
    texts = [file.read_text() for file in (PACKAGE / "warehouse/migrations/versions").glob("*.py")]
    named = [
        re.search(rf"^{name} = (.*)$", text, re.MULTILINE) for text in texts for name in ("revision", "down_revision")
    ]
    revisions, parents = ({match[1] for match in named[n::2] if match} for n in (0, 1))
    assert len(parents) == len(texts)  # none has two children
    assert len(revisions - parents) == 1
