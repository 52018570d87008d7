"""What the terms of a lexicon say of one message."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.analysis.rules.terms import Finder, Found, Term, without_overlaps


@dataclass(frozen=True, slots=True)
class Evidence:
    """Terms found in one message, by what they speak for."""

    found: dict[str, dict[str, Term]]  # label -> term's text -> term

    @property
    def asks(self) -> bool:
        return "request" in self.found

    def weight(self, label: str) -> float:
        return sum(term.weight for term in self.found.get(label, {}).values())


def evidence_of(finder: Finder, row: Sequence[str]) -> Evidence:
    """The terms of a lexicon in one message's words, without those that lie in a longer one."""
    by_label: dict[str, list[Found]] = defaultdict(list)
    for found in finder.find(row):
        by_label[found.term.label].append(found)
    return Evidence(
        {
            label: {found.term.text: found.term for found in without_overlaps(all_found)}
            for label, all_found in by_label.items()
        }
    )
