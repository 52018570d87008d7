"""Rules for the dbt project, read off its manifest: a breach is a line that names the model and says what is wrong."""

import re
from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]
Node = dict[str, Any]

# What a layer may read: its own kind and what stands to its left. Sources and seeds are named by those who read them.
LAYERS = {
    "staging": {"raw", "staging"},
    "intermediate": {"staging", "intermediate"},
    "core": {"staging", "intermediate", "core"},
    "calendar": {"seed", "ops", "calendar"},
    "facts": {"seed", "ops", "intermediate", "core", "calendar", "facts"},
    "rollups": {"seed", "ops", "core", "calendar", "facts", "rollups"},
    "marts": {"seed", "ops", "core", "calendar", "facts", "rollups", "marts"},
    "marts_admin": {"ops"},
    "marts_pii": {"ops", "core", "marts_pii"},
}
# Some tell of more than conversations: of what an analysis came to, of the pipeline, of who read, of archives.
SUBJECTS = {
    "rollups/customer_analyses": {"analysis"},
    "marts/analysis": {"analysis"},
    "marts/operations": {"raw"},
    "marts/rooms": {"raw"},
}
TYPES = {
    r"(is|has)_\w+": {"boolean"},
    r"\w+_at": {"timestamptz"},
    r"\w+_(date|start)": {"date"},
    r"mean_\w+_count": {"double precision"},
    r"(?!mean_)\w+_count": {"integer", "bigint"},
    r"\w+_seconds": {"integer", "bigint", "double precision"},
    r"\w+_(pct|rate|share)": {"double precision"},
    r"\w*chat_id|(agent|contact|department|scope)_id": {"text"},
}
# They look into Postgres' own catalogue or only list logs: tests/integration holds them.
WITHOUT_UNIT_TEST = {"data_freshness", "sync_health"}
# Work that a later load tells otherwise stays beside what replaced it.
WITHOUT_KEY = {"int_agent_activity"}
MIN_TESTS = 5  # for each model, on average
PLAIN_TYPES = {"text", "boolean", "integer", "bigint", "double precision", "date", "timestamptz"}


def violations(manifest: Manifest) -> list[str]:
    """Every breach of every rule, sorted."""
    rules = (
        _layers,
        _keys_of_sources,
        _placements,
        _messages_are_read_with_their_chat,
        _names,
        _grain_and_columns,
        _column_types,
        _keys,
        _enough_is_tested,
        _owners_and_access,
        _marts_have_contracts_and_unit_tests,
        _one_text_one_block,
        _unit_test_names,
    )
    return sorted(line for rule in rules for line in rule(manifest))


def _layers(manifest: Manifest) -> Iterator[str]:
    for model in _models(manifest):
        allowed = LAYERS[_layer(model)] | SUBJECTS.get(f"{_layer(model)}/{model['fqn'][2]}", set())
        for unique_id in model["depends_on"]["nodes"]:
            kind, name = _kind(manifest, unique_id), unique_id.split(".")[-1]
            if kind not in allowed:
                yield f"{model['name']}: a model of {_layer(model)} reads {name} ({kind})"


def _keys_of_sources(manifest: Manifest) -> Iterator[str]:
    """What a source gives to the unions has keys that no other source's can equal: the macro makes them."""
    for model in _models(manifest):
        is_a_sources = model["fqn"][1:3] == ["facts", "sources"] and "__" in model["name"]
        if is_a_sources and not _calls(manifest, model, "macro.b2chat.source_key"):
            yield f"{model['name']}: a key that facts join by is not made by source_key"


def _calls(manifest: Manifest, model: Node, macro: str) -> bool:
    """Whether a model calls a macro, or one of those that it reads does."""
    above = [manifest["nodes"][one] for one in model["depends_on"]["nodes"] if one.startswith("model.")]
    return macro in model["depends_on"]["macros"] or any(_calls(manifest, one, macro) for one in above)


def _messages_are_read_with_their_chat(manifest: Manifest) -> Iterator[str]:
    """A table of days, weeks or people learns of messages from a table of chats: it would read all of theirs."""
    for model in _models(manifest):
        if model["config"]["materialized"] != "incremental" or model["config"]["unique_key"] in ("chat_id", "id"):
            continue
        for name in {unique_id.split(".")[-1] for unique_id in model["depends_on"]["nodes"]} & {
            "messages",
            "int_messages",
        }:
            yield f"{model['name']}: reads {name} of whole {model['config']['unique_key']}s"


def _placements(manifest: Manifest) -> Iterator[str]:
    """What Citus refuses is not written (docs/scale.md): it would be found on a cluster, years later."""
    for model in _models(manifest):
        placement = model["config"]["meta"].get("placement", "local")
        if placement not in ("local", "reference") and model["config"]["unique_key"] != placement:
            yield f"{model['name']}: rows are spread by {placement}, and replaced by another column"
        if re.search(r"with\s+recursive", model["raw_code"]) and _reads_spread_rows(manifest, model):
            yield f"{model['name']}: a recursive query over rows that are spread"
    texts = {model["name"]: model["raw_code"] for model in _models(manifest)}
    for name, text in (texts | {one["name"]: one["macro_sql"] for one in manifest["macros"].values()}).items():
        if found := re.search(r"grouping\s+sets|\b(rollup|cube)\s*\(|\bselect\s+from\b", text):
            yield f"{name}: {found[0]}"


def _reads_spread_rows(manifest: Manifest, model: Node) -> bool:
    read = [manifest["nodes"][one] for one in model["depends_on"]["nodes"] if one.startswith("model.")]
    return any(
        one["config"]["meta"].get("placement", "local") not in ("local", "reference")
        or (one["config"]["materialized"] == "view" and _reads_spread_rows(manifest, one))
        for one in read
    )


def _names(manifest: Manifest) -> Iterator[str]:
    """A step is called int_, what BI and people read is not."""
    for model in _models(manifest):
        schema = model["config"]["schema"]
        prefixes = {"staging": f"stg_{model['fqn'][2]}__", "intermediate": "int_"}
        if schema in prefixes:
            is_called_so = model["name"].startswith(prefixes[schema])
        else:
            is_called_so = not model["name"].startswith(("stg_", "int_"))
        if not is_called_so:
            yield f"{model['name']}: a model in the schema {schema} is not called so"


def _grain_and_columns(manifest: Manifest) -> Iterator[str]:
    for model in _models(manifest):
        if not re.match(r"One row( per |: )", model["description"]):
            yield f"{model['name']}: the description does not begin with the grain (One row per ...)"
        if not model["columns"]:
            yield f"{model['name']}: no column is listed"
        for column in model["columns"].values():
            if not column["description"].strip():
                yield f"{model['name']}.{column['name']}: no description"


def _column_types(manifest: Manifest) -> Iterator[str]:
    for model in _models(manifest):
        for name, column in model["columns"].items():
            if not (type_ := column["data_type"]):
                continue
            for pattern, allowed in TYPES.items():
                if re.fullmatch(pattern, name) and type_ not in allowed:
                    yield f"{model['name']}.{name}: {type_}, by its name {' or '.join(sorted(allowed))}"
            if _is_public(model) and type_ not in PLAIN_TYPES:
                yield f"{model['name']}.{name}: {type_} is not a plain type for BI tools"


def _keys(manifest: Manifest) -> Iterator[str]:
    """What BI reads and what is stored says by itself what is unique, and what BI reads that its key is never NULL."""
    unique = _tested(manifest, "unique", "unique_combination", "primary_key")
    never_null = _tested(manifest, "not_null", "primary_key")
    for model in _models(manifest):
        is_stored, is_public = model["config"]["materialized"] != "view", _is_public(model)
        if model["name"] in WITHOUT_KEY or not (is_stored or is_public):
            continue
        if not (is_stored and _has_key(model)) and model["unique_id"] not in unique:
            yield f"{model['name']}: no test, constraint or index says what is unique"
        is_one_row = model["description"].startswith("One row:")
        is_required = is_stored and _required(model)
        if is_public and not is_one_row and not is_required and model["unique_id"] not in never_null:
            yield f"{model['name']}: no test or constraint says what is never NULL"


def _enough_is_tested(manifest: Manifest) -> Iterator[str]:
    """Data tests, unit tests, and keys and NOT NULLs of stored tables: so many for each model, on average.

    A primary_key holds that its columns are unique, and of each of them that it is never NULL.
    """
    data_tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    of_seeds = sum((test.get("attached_node") or "").startswith(("seed.", "source.")) for test in data_tests)
    stored = [model for model in _models(manifest) if model["config"]["materialized"] != "view"]
    held = sum(len(_required(model)) + _has_key(model) for model in stored)
    keys = [
        test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]]
        for test in data_tests
        if (test.get("test_metadata") or {}).get("name") == "primary_key" and test["attached_node"].startswith("model.")
    ]
    tested = len(data_tests) + sum(map(len, keys)) - of_seeds + len(manifest["unit_tests"])
    mean = (tested + held) / len(_models(manifest))
    if mean < MIN_TESTS:
        yield f"the project: {mean:.1f} tests and constraints for each model, not {MIN_TESTS}"


def _owners_and_access(manifest: Manifest) -> Iterator[str]:
    for model in _models(manifest):
        layer, owners = _layer(model), model["config"]["meta"].get("dagster", {}).get("owners")
        if not owners or model["group"] != layer or f"group.b2chat.{layer}" not in manifest["groups"]:
            yield f"{model['name']}: no owner, or not in the group {layer}"
        if model["access"] != ("public" if _is_public(model) else "protected"):
            yield f"{model['name']}: access is {model['access']}"
        if _is_public(model) and layer == "marts" and not model["config"]["meta"].get("question"):
            yield f"{model['name']}: no question that it answers"


def _marts_have_contracts_and_unit_tests(manifest: Manifest) -> Iterator[str]:
    tested = {node for test in manifest["unit_tests"].values() for node in test["depends_on"]["nodes"][:1]}
    for model in _models(manifest):
        if not _is_public(model):
            continue
        if not model["contract"]["enforced"] or not all(column["data_type"] for column in model["columns"].values()):
            yield f"{model['name']}: the contract is not enforced, or leaves a type out"
        if model["name"] in WITHOUT_UNIT_TEST:
            continue
        if not any(one["unique_id"] in tested for one in [model, *_right_under(manifest, model)]):
            yield f"{model['name']}: no unit test, neither its own nor of what is right under it"


def _one_text_one_block(manifest: Manifest) -> Iterator[str]:
    """A text that two marts share for a column is a docs block: copies would drift apart."""
    written: dict[tuple[str, str], list[str]] = {}
    for model in _models(manifest):
        for name, column in model["columns"].items():
            if _is_public(model) and not column["doc_blocks"]:
                written.setdefault((name, " ".join(column["description"].split())), []).append(model["name"])
    for (name, _), models in written.items():
        if len(models) > 1:
            yield f"{models[0]}.{name}: the same text as in {', '.join(models[1:])}, but no docs block"


def _unit_test_names(manifest: Manifest) -> Iterator[str]:
    """A sentence that says the promise, short enough for Postgres."""
    for test in manifest["unit_tests"].values():
        if len(test["name"]) > 63 or test["name"].count("_") < 3 or test["name"].startswith("test"):
            yield f"{test['model']}: the unit test {test['name']} is not named by a sentence of up to 63 characters"


def _models(manifest: Manifest) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _layer(model: Node) -> str:
    return str(model["fqn"][1])


def _is_public(model: Node) -> bool:
    return bool(model["config"]["schema"] == "marts")


def _kind(manifest: Manifest, unique_id: str) -> str:
    if source := manifest["sources"].get(unique_id):
        return str(source["schema"])
    node = manifest["nodes"][unique_id]
    if node["resource_type"] == "seed":
        return "seed"
    return _layer(node)


def _tested(manifest: Manifest, *kinds: str) -> set[str]:
    """The models that a generic test of these kinds is on."""
    return {
        node.get("attached_node") or ""
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") in kinds
    }


def _required(model: Node) -> list[str]:
    """The columns that a contract has as NOT NULL."""
    return [
        column["name"]
        for column in model["columns"].values()
        if any(constraint["type"] == "not_null" for constraint in column["constraints"])
    ]


def _has_key(model: Node) -> bool:
    constraints = [*model["constraints"], *(each for one in model["columns"].values() for each in one["constraints"])]
    return any(one["type"] in {"primary_key", "unique"} for one in constraints) or any(
        index.get("unique") for index in model["config"].get("indexes") or []
    )


def _right_under(manifest: Manifest, model: Node) -> list[Node]:
    """For a view: the models it reads, down to the first that is stored."""
    if model["config"]["materialized"] != "view":
        return []
    parents = [
        manifest["nodes"][unique_id] for unique_id in model["depends_on"]["nodes"] if unique_id.startswith("model.")
    ]
    return [under for parent in parents for under in [parent, *_right_under(manifest, parent)]]
