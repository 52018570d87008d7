"""Runs jobs with the text of their launchpads, one after the other in one process: Dagster starts one for each run,
which spends five seconds on its imports.

Its one argument is a file: of jobs and texts, as JSON; then of what failed in each.
"""

import json
import sys
from pathlib import Path

import dagster as dg
import yaml

from dagster_project.definitions import defs


def main() -> None:
    """Run them all."""
    file, ended = Path(sys.argv[1]), {}
    with dg.DagsterInstance.get() as instance:
        for job, config in json.loads(file.read_text()).items():
            done = defs.resolve_job_def(job).execute_in_process(
                instance=instance, run_config=yaml.safe_load(config), raise_on_error=False
            )
            steps = [str(event.step_failure_data.error) for event in done.all_node_events if event.is_step_failure]
            ended[job] = [] if done.success else steps or ["the run itself"]
    file.write_text(json.dumps(ended))


if __name__ == "__main__":
    main()
