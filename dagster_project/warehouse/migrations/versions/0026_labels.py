"""Labels are rows: the taxonomy fills them, and no constraint freezes which there are."""

from alembic import op

revision = "0026"
down_revision = "0025"

# As they ship with this version; the next categorization makes them those of the taxonomy in use.
LABELS = (
    ("customer_intent", "PROJECT_INFO", 1, "Información de proyectos", "Project information"),
    ("customer_intent", "PAYMENT", 2, "Pagos", "Payments"),
    ("customer_intent", "LEGAL", 3, "Trámites y escrituras", "Legal paperwork"),
    ("customer_intent", "POST_PURCHASE", 4, "Posventa", "After-sales"),
    ("customer_intent", "OTHER", 5, "Otro", "Other"),
    ("journey_stage", "PROSPECT", 1, "Prospecto", "Prospect"),
    ("journey_stage", "ACTIVE_BUYER", 2, "Comprador en proceso", "Active buyer"),
    ("journey_stage", "POST_PURCHASE", 3, "Después de la compra", "After the purchase"),
    ("sentiment", "POSITIVE", 1, "Positivo", "Positive"),
    ("sentiment", "NEUTRAL", 2, "Neutro", "Neutral"),
    ("sentiment", "FRICTION", 3, "Fricción", "Friction"),
)
FIELDS = ("customer_intent", "journey_stage", "sentiment")
TABLES = ("customer_categorizations", "human_labels")


def upgrade() -> None:
    op.execute("""
        create table analysis.taxonomy_labels (
            field text not null,
            label text not null,
            position integer not null,
            label_es text not null,
            label_en text not null,
            meaning text not null,
            is_current boolean not null,
            primary key (field, label)
        )
    """)
    op.execute(
        "comment on table analysis.taxonomy_labels is 'One row per field and label of the taxonomy, written by each "
        "categorization; a label that the taxonomy no longer has stays, for the chats that have it'"
    )
    for label in LABELS:
        op.execute(f"insert into analysis.taxonomy_labels values {(*label, label[-1], True)}")  # noqa: S608
    for table in TABLES:
        for field in FIELDS:
            op.execute(f"alter table analysis.{table} drop constraint {table}_{field}_check")


def downgrade() -> None:
    for table in TABLES:
        for field in FIELDS:
            labels = ", ".join(f"'{label}'" for of, label, *_ in LABELS if of == field)
            op.execute(
                f"alter table analysis.{table} add constraint {table}_{field}_check "
                f"check ({field} in ({labels})) not valid"  # labels of the business's own stay
            )
    op.execute("drop table analysis.taxonomy_labels cascade")
