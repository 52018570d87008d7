"""Evaluations of classifiers on labelled chats."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        create table analysis.evaluations (
            evaluation_id bigint generated always as identity primary key,
            classifier text not null,
            version text not null,
            answered_by text not null,
            file_name text not null,
            file_sha256 text not null,
            chats integer not null,
            failed integer not null,
            acceptable_intent_accuracy double precision,
            calibration_error double precision,
            seconds double precision not null,
            cost_usd numeric(12, 6) not null,
            evaluated_at timestamptz not null,
            unique (classifier, version, file_sha256)
        )
    """)
    op.execute("comment on table analysis.evaluations is 'One row per version of a classifier and labelled file'")
    op.execute("""
        create table analysis.evaluation_scores (
            evaluation_id bigint not null references analysis.evaluations on delete cascade,
            field text not null,
            chats integer not null,
            accuracy double precision,
            accuracy_low double precision,
            accuracy_high double precision,
            macro_f1 double precision,
            kappa double precision,
            without_label integer not null,
            named_without_label integer not null,
            primary key (evaluation_id, field)
        )
    """)
    op.execute("comment on table analysis.evaluation_scores is 'One row per evaluation and field, with its scores'")
    op.execute("""
        create table analysis.evaluation_labels (
            evaluation_id bigint not null references analysis.evaluations on delete cascade,
            item_id text not null,
            field text not null,
            gold text not null,
            named text not null,
            primary key (evaluation_id, item_id, field)
        )
    """)
    op.execute(
        "comment on table analysis.evaluation_labels is "
        "'One row per evaluation, chat and field: the true label and the named one, empty where none was'"
    )


def downgrade() -> None:
    op.execute("drop table analysis.evaluation_labels, analysis.evaluation_scores, analysis.evaluations")
