"""Write the seed of Colombian holidays, dbt/seeds/holidays.csv.

Run it again with a later LAST_YEAR when the calendar nears its end: python scripts/make_holidays.py
"""

import csv
from pathlib import Path

import holidays

FIRST_YEAR = 2015
LAST_YEAR = 2035
SEED = Path(__file__).parent.parent / "dbt" / "seeds" / "holidays.csv"


def main() -> None:
    """Replace the seed with the holidays of all years from FIRST_YEAR to LAST_YEAR."""
    days = holidays.country_holidays("CO", years=range(FIRST_YEAR, LAST_YEAR + 1), language="es")
    with SEED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["calendar", "holiday_date", "name"])
        writer.writerows(["default", day.isoformat(), days[day]] for day in sorted(days))
    print(f"{len(days)} holidays written to {SEED.name}")


if __name__ == "__main__":
    main()
