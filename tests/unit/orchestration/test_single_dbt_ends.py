"""dbt ends when it is asked to, also where it took the first asking for a fault of its own."""

import signal
import subprocess
import sys

TAKES_THE_FIRST_FOR_A_FAULT = """
import os, signal, threading, time
from dagster_project.orchestration import single_dbt
single_dbt._GRACE = 0.2
signal.signal(signal.SIGINT, single_dbt._interrupted)
threading.Thread(target=single_dbt._end_with, args=[os.getppid()], daemon=True).start()
for told in ("swallowed", "ended"):
    try:
        print("at work", flush=True)
        time.sleep(20)
    except KeyboardInterrupt:
        print(told, flush=True)
"""


def test_an_interrupt_that_dbt_swallows_is_sent_again() -> None:
    process = subprocess.Popen([sys.executable, "-c", TAKES_THE_FIRST_FOR_A_FAULT], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=10)
    assert told.splitlines() == ["swallowed", "at work", "ended"]
