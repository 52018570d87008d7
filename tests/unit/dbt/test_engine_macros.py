"""What we replace in dbt is known by its text: a dbt that changes it must not be taken unread.

When this fails after an upgrade: read what changed in dbt's macro, change ours where it matters (dbt/macros/engine/README.md
says why each is there), then write the new hash here.
"""

import hashlib
import json
from collections.abc import Iterator

import pytest

from dagster_project.orchestration.dbt_project import DBT_DIR, manifest

# dbt's own text, of what we replace and of what calls it: the first 12 digits of its sha256.
KNOWN = {
    "dbt.create_indexes": "54d88f8978f0",
    "dbt.create_table_as": "ac51ad01c9d0",
    "dbt.default__create_indexes": "16f48bdbea9f",
    "dbt.default__create_table_as": "d8fc4da39ab5",
    "dbt.default__drop_relation": "09a71d7531b5",
    "dbt.default__generate_alias_name": "0085b4724da2",
    "dbt.default__generate_schema_name": "d3657998f1f0",
    "dbt.default__get_create_index_sql": "5c4458ff909a",
    "dbt.default__get_incremental_append_sql": "16d00055cab0",
    "dbt.default__get_where_subquery": "f3a16657472c",
    "dbt.default__load_csv_rows": "016d8fbc9d74",
    "dbt.default__persist_docs": "24d2cf14cd21",
    "dbt.default__process_schema_changes": "5173400fa7d2",
    "dbt.default__rename_relation": "cb11155c1c8f",
    "dbt.default__reset_csv_table": "d160ae39eedf",
    "dbt.default__safe_cast": "834a0d745bd2",
    "dbt.drop_relation": "832a52822258",
    "dbt.generate_alias_name": "7dcc7fc09131",
    "dbt.generate_schema_name": "36baf91d4dc1",
    "dbt.get_assert_columns_equivalent": "8fb2cbcfb354",
    "dbt.get_create_index_sql": "9d17b9955a2f",
    "dbt.get_where_subquery": "884daf78dcfb",
    "dbt.is_incremental": "71bcb60f249f",
    "dbt.load_csv_rows": "5fbc954c892c",
    "dbt.materialization_incremental_default": "199766a7379b",
    "dbt.materialization_seed_default": "8219ad69633c",
    "dbt.materialization_view_default": "a68e1c6ed94a",
    "dbt.persist_docs": "66346786bbbf",
    "dbt.rename_relation": "e47dca53ae03",
    "dbt.reset_csv_table": "4218d7359ecd",
    "dbt.safe_cast": "230e25520c6b",
    "dbt.should_full_refresh": "0beb7387fa96",
    "dbt_postgres.postgres__create_table_as": "491b962a2a34",
    "dbt_postgres.postgres__get_create_index_sql": "f221bfc7b5ff",
}
# Ours are called by these, or stand on them.
CALLERS = {
    "dbt.default__get_incremental_append_sql",
    "dbt.default__process_schema_changes",
    "dbt.get_assert_columns_equivalent",
    "dbt.is_incremental",
    "dbt.materialization_incremental_default",
    "dbt.materialization_seed_default",
}


@pytest.fixture(scope="module")
def macros() -> dict[str, str]:
    """The text of every macro by package and name."""
    parsed = json.loads(manifest().read_text())["macros"]
    return {unique_id.removeprefix("macro."): macro["macro_sql"] for unique_id, macro in parsed.items()}


def test_dbts_own_text_of_what_we_replace_is_the_one_we_know(macros: dict[str, str]) -> None:
    found = {name: _hash(macros[name]) for name in sorted({*_replaced(macros), *CALLERS})}
    assert found == KNOWN


def test_the_readme_says_of_each_replaced_macro_why(macros: dict[str, str]) -> None:
    text = (DBT_DIR / "macros" / "engine" / "README.md").read_text()
    names = {name.split(".")[1].removeprefix("default__").removeprefix("postgres__").removesuffix("_default") for name in _replaced(macros)}
    assert {name for name in names if f"`{name}`" not in text} == set()


def _replaced(macros: dict[str, str]) -> Iterator[str]:
    """dbt's macros that one of ours shadows: by the same name, or as its adapter's variant."""
    for ours in [name.removeprefix("b2chat.") for name in macros if name.startswith("b2chat.")]:
        plain = ours.removeprefix("postgres__").removesuffix("_postgres")
        for package in ("dbt", "dbt_postgres"):
            for name in (ours, plain, f"default__{plain}", f"postgres__{plain}", f"{plain}_default"):
                if f"{package}.{name}" in macros:
                    yield f"{package}.{name}"


def _hash(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]
