"""The jobs: the main one and its two halves. In one process: a spawned step would cost more than most steps do."""

import dagster as dg

ONE_REFRESH = {"b2chat/job": "refresh"}

refresh_all = dg.define_asset_job(
    "refresh_all",
    dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    tags=ONE_REFRESH,
    description="The main job: read B2Chat, build and test every model, paint the week's heatmap.",
)
sync_b2chat = dg.define_asset_job(
    "sync_b2chat",
    dg.AssetSelection.groups("raw"),
    executor_def=dg.in_process_executor,
    tags=ONE_REFRESH,
    description="Read B2Chat and land what changed; builds nothing.",
)
build_marts = dg.define_asset_job(
    "build_marts",
    dg.AssetSelection.all() - dg.AssetSelection.groups("raw"),
    executor_def=dg.in_process_executor,
    tags=ONE_REFRESH,
    description="Build and test every model from what has landed; asks B2Chat nothing.",
)
verify_all = dg.define_asset_job(
    "verify_all",
    build_marts.selection,
    executor_def=dg.in_process_executor,
    tags=ONE_REFRESH,
    config={"ops": {"dbt_models": {"config": {"test_everything": True}}}},
    description="Build, and test every row there is; the other jobs test the rows that they brought.",
)
JOBS = [refresh_all, sync_b2chat, build_marts, verify_all]
