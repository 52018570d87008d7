"""The week as heatmaps lay it out: seven days from Monday, 24 hours each."""

from dagster_project.warehouse import seeds

MONDAY_FIRST = (1, 2, 3, 4, 5, 6, 0)
CELLS = tuple((day, hour) for day in MONDAY_FIRST for hour in range(24))


def day_name(day_of_week: int, language: str = "es") -> str:
    """Lun, Mar …; 0 = Sunday."""
    [label] = [
        row[f"label_{language}"]
        for row in seeds.rows("labels")
        if row["label_set"] == "day_of_week" and row["member"] == str(day_of_week)
    ]
    return label.partition("-")[2]  # what stands before it makes labels sort
