"""The catalogue of words: each thing is said once, in both languages."""

import re
import string
import tomllib

from dagster_project.exports.i18n import catalogue


def test_every_key_has_its_words_in_both_languages_with_the_same_parts() -> None:
    for key, (spanish, english) in catalogue.texts().items():
        assert spanish and english, key
        parts = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (spanish, english)]
        assert parts[0] == parts[1], key


def test_no_two_keys_hold_the_same_words_but_by_reading_one_another() -> None:
    written: dict[tuple[str, str], str] = {}
    kpis = set(catalogue.group("kpi_metrics").values())
    for group, members in tomllib.loads(catalogue._FILE.read_text(encoding="utf-8")).items():
        # A weekday or a month is written the same by chance: mar is Tuesday and March.
        for member, words in members.items() if not re.match("weekday|month", group) else ():
            if not isinstance(words, str):
                assert tuple(words) not in written, f"{group}.{member} and {written[tuple(words)]}"
                written[words[0], words[1]] = f"{group}.{member}"
                assert tuple(words) not in kpis, f"{group}.{member} stands in the seed kpi_metrics"


def test_what_a_seed_names_is_called_so_in_reports_too() -> None:
    assert catalogue.texts()["channel.livechat"] == ("Chat en vivo", "Live chat")
    assert catalogue.texts()["intent.PAYMENT"] == ("Pagos", "Payments")
    assert catalogue.texts()["kpi.sla_overall_rate"] == ("SLA cumplido", "SLA met")
