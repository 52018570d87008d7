"""The jobs. Each runs in one process: a spawned step would cost more than most steps do."""

from typing import Any

import dagster as dg

CHATS, CONTACTS = dg.AssetKey(["raw", "chats"]), dg.AssetKey(["raw", "contacts"])
CHAT_DAYS, AUDIT = dg.AssetKey(["raw", "chat_days"]), dg.AssetKey(["raw", "audit_messages"])
REPORT = dg.AssetKey(["exports", "report"])
CATEGORIES = dg.AssetKey(["analysis", "chat_categorizations"])

_RAW = dg.AssetSelection.groups("raw") - dg.AssetSelection.assets(CHAT_DAYS)
# Run when somebody asks for them: they cost money, or make something to hand on.
_ON_DEMAND = dg.AssetSelection.groups("evaluation", "exports")
_MODELS = dg.AssetSelection.all() - dg.AssetSelection.groups("raw") - _ON_DEMAND


def _job(name: str, selection: dg.AssetSelection, description: str, config: dict[str, Any] | None = None) -> Any:
    steps = {"ops": {step: {"config": values} for step, values in (config or {}).items()}}
    return dg.define_asset_job(
        name, selection, executor_def=dg.in_process_executor, description=description,
        config=steps if config else None, tags={"b2chat/job": name},
    )  # fmt: skip


refresh_all = _job(
    "refresh_all", dg.AssetSelection.all() - dg.AssetSelection.assets(CHAT_DAYS) - _ON_DEMAND,
    "The main job: read what may have changed, build and test what follows from it, paint the week's heatmap.",
)  # fmt: skip
sync_b2chat = _job("sync_b2chat", _RAW, "Read what may have changed and land it; builds nothing.")
sync_full = _job(
    "sync_full", dg.AssetSelection.assets(CHATS, CONTACTS), "Read all history again, since the start date.",
    {"raw__chats": {"mode": "full"}, "raw__contacts": {"mode": "full"}},
)  # fmt: skip
sweep_recent = _job(
    "sweep_recent", dg.AssetSelection.assets(CHATS), "Read all of the last days again (B2CHAT_SWEEP_DAYS).",
    {"raw__chats": {"mode": "sweep"}},
)  # fmt: skip
sync_contacts = _job(
    "sync_contacts", dg.AssetSelection.assets(CONTACTS), "Read all contacts again.",
    {"raw__contacts": {"mode": "full"}},
)  # fmt: skip
backfill_days = _job("backfill_days", dg.AssetSelection.assets(CHAT_DAYS), "Read a range of creation days again.")
land_audit_export = _job(
    "land_audit_export", dg.AssetSelection.assets(AUDIT).downstream(),
    "Land the audit exports in B2CHAT_AUDIT_FOLDER and build what follows from them.",
)  # fmt: skip
categorize_chats = _job(
    "categorize_chats", dg.AssetSelection.assets(CATEGORIES), "Categorize the chats that are new: by Claude, or rules.",
)  # fmt: skip
build_marts = _job(
    "build_marts", _MODELS, "Build and test every model from what has landed, new or not; asks B2Chat nothing.",
    {"dbt_models": {"force": True}},
)  # fmt: skip
weekly_report = _job(
    "weekly_report", dg.AssetSelection.assets(REPORT), "Write a week's or a month's report as PDF and Excel.",
)  # fmt: skip
export_tables = _job(
    "export_tables", dg.AssetSelection.groups("exports") - dg.AssetSelection.assets(REPORT),
    "Write chats, agents' days and KPIs to files.",
)  # fmt: skip
verify_all = _job(
    "verify_all", _MODELS, "Build, and test every row there is; the other jobs test the rows that they brought.",
    {"dbt_models": {"test_everything": True}},
)  # fmt: skip
evaluate_classifier = _job(
    "evaluate_classifier", dg.AssetSelection.groups("evaluation"),
    "Score a classifier on labelled chats, and compare it with the version before.",
)  # fmt: skip

JOBS = [
    refresh_all, sync_b2chat, sync_full, sweep_recent, sync_contacts, backfill_days, land_audit_export, build_marts,
    verify_all, categorize_chats, weekly_report, export_tables, evaluate_classifier,
]  # fmt: skip
