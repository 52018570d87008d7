"""Evaluations that were kept, and how a version does against the one before it on the same chats."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dagster_project.analysis.evaluation.scores import Labelled, Report

CHANCE = 0.05  # a difference less likely than this is not put down to it


@dataclass(frozen=True, slots=True)
class Change:
    """One field, against the version before.

    Attributes:
        mended: chats that were wrong and are right now.
        broken: chats that were right and are wrong now.
        chance: how likely so uneven a split is if neither version is better (exact McNemar test, two-sided).
    """

    field: str
    chats: int
    before: float
    now: float
    mended: int
    broken: int
    chance: float

    @property
    def is_worse(self) -> bool:
        """Whether it does worse, and not by chance."""
        return self.broken > self.mended and self.chance < CHANCE


@dataclass(frozen=True, slots=True)
class Comparison:
    """An evaluation against the newest one of another version of the same classifier, on the same chats."""

    version_before: str
    changes: list[Change]


def keep(conn: psycopg.Connection, report: Report, labelled: Sequence[Labelled], file: Path) -> int:
    """Store an evaluation; one of the same version on the same file takes the place of the older. Returns its id."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with conn.transaction():
        conn.execute(
            "delete from analysis.evaluations where (classifier, version, file_sha256) = (%s, %s, %s)",
            (report.classifier, report.version, digest),
        )
        row = conn.execute(
            """
            insert into analysis.evaluations (
                classifier, version, classified_by, file_name, file_sha256, chats, failed, acceptable_intent_accuracy,
                calibration_error, seconds, cost_usd, evaluated_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())
            returning evaluation_id
            """,
            (
                report.classifier,
                report.version,
                ", ".join(report.classified_by),
                file.name,
                digest,
                report.chats,
                report.failed,
                report.acceptable_intent_accuracy,
                report.calibration_error,
                report.seconds,
                report.cost_usd,
            ),
        ).fetchone()
        assert row is not None
        _keep_scores(conn, row[0], report)
        _keep_labels(conn, row[0], report, labelled)
    return int(row[0])


def compare(conn: psycopg.Connection, evaluation_id: int) -> Comparison | None:
    """How it does against the version before; None where there is none."""
    before = conn.execute(
        """
        select earlier.evaluation_id, earlier.version
        from analysis.evaluations as now
        inner join analysis.evaluations as earlier
            on earlier.classifier = now.classifier and earlier.file_sha256 = now.file_sha256
            and earlier.version <> now.version
        where now.evaluation_id = %s
        order by earlier.evaluated_at desc
        limit 1
        """,
        (evaluation_id,),
    ).fetchone()
    if before is None:
        return None
    rows = conn.execute(
        """
        select
            now.field, count(*), avg((before.named = before.gold)::integer), avg((now.named = now.gold)::integer),
            count(*) filter (where now.named = now.gold and before.named <> before.gold),
            count(*) filter (where now.named <> now.gold and before.named = before.gold)
        from analysis.evaluation_labels as now
        inner join analysis.evaluation_labels as before using (item_id, field)
        where now.evaluation_id = %s and before.evaluation_id = %s
        group by now.field
        order by now.field
        """,
        (evaluation_id, before[0]),
    ).fetchall()
    return Comparison(
        before[1],
        [
            Change(field, chats, float(was), float(now), mended, broken, _chance(mended, broken))
            for field, chats, was, now, mended, broken in rows
        ],
    )


def _keep_scores(conn: psycopg.Connection, evaluation_id: int, report: Report) -> None:
    with conn.cursor() as cursor, cursor.copy("copy analysis.evaluation_scores from stdin") as copy:
        for name, score in report.fields.items():
            copy.write_row(
                (
                    evaluation_id,
                    name,
                    score.n,
                    score.accuracy,
                    score.accuracy_low,
                    score.accuracy_high,
                    score.macro_f1,
                    score.kappa,
                    score.without_gold,
                    score.named_without_gold,
                )
            )


def _keep_labels(conn: psycopg.Connection, evaluation_id: int, report: Report, labelled: Sequence[Labelled]) -> None:
    wrong = {one["id"]: one for one in report.wrong}
    with conn.cursor() as cursor, cursor.copy("copy analysis.evaluation_labels from stdin") as copy:
        for one in labelled:
            for name, gold in one.gold.items():
                if gold is not None:
                    named = wrong.get(one.id, {}).get(name, {"named": gold})["named"]
                    copy.write_row((evaluation_id, one.id, name, gold, named or ""))


def _chance(mended: int, broken: int) -> float:
    n, fewer = mended + broken, min(mended, broken)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n) if n else 1.0
