"""Write the holidays of a country into the seed dbt/seeds/holidays.csv, as those of one calendar.

The rows of other calendars stay as they are. Without arguments: Colombia's, for the calendar default.

    python scripts/make_holidays.py
    python scripts/make_holidays.py --country MX --calendar mexico
    python scripts/make_holidays.py --country US --subdivision NY --calendar new_york --language en_US
"""

import argparse
import csv
from pathlib import Path

import holidays

SEED = Path(__file__).parent.parent / "dbt" / "seeds" / "holidays.csv"
HEADER = ["calendar", "holiday_date", "name"]


def main() -> None:
    """Replace the holidays of one calendar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--country", default="CO", help="its code of two letters (ISO 3166)")
    parser.add_argument("--subdivision", help="its state or province, where holidays differ")
    parser.add_argument("--calendar", default="default", help="the calendar of the seed business_hours")
    parser.add_argument("--language", default="es", help="of the names, where the country has them in it")
    # The years that calendars know: vars calendar_first_year and calendar_last_year in dbt/dbt_project.yml.
    parser.add_argument("--first-year", type=int, default=2015)
    parser.add_argument("--last-year", type=int, default=2035)
    options = parser.parse_args()
    try:
        days = holidays.country_holidays(
            options.country,
            subdiv=options.subdivision,
            years=range(options.first_year, options.last_year + 1),
            language=options.language,
        )
    except NotImplementedError as error:
        parser.error(str(error))
    made = [[options.calendar, day.isoformat(), days[day]] for day in sorted(days)]
    _write([*_others(options.calendar), *made])
    print(f"{len(made)} holidays of {options.country} written to {SEED.name} for the calendar {options.calendar}")


def _others(calendar: str) -> list[list[str]]:
    with SEED.open(newline="", encoding="utf-8") as file:
        return [row for row in list(csv.reader(file))[1:] if row[0] != calendar]


def _write(rows: list[list[str]]) -> None:
    with SEED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(sorted(rows))


if __name__ == "__main__":
    main()
