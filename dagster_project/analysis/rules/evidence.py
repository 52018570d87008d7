"""What the terms of a lexicon say of one message."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.analysis.rules.terms import Finder, Found, Term, Word, without_overlaps


@dataclass(frozen=True, slots=True)
class Evidence:
    """Terms found in one message, by what they speak for."""

    found: Mapping[str, Mapping[str, Term]]  # label -> term's text -> term
    weights: Mapping[str, float]  # label -> what its terms weigh together

    @property
    def asks(self) -> bool:
        return "request" in self.found

    def weight(self, label: str) -> float:
        return self.weights.get(label, 0)


_NOTHING = Evidence({}, {})


def evidence_of(finder: Finder, row: Sequence[Word]) -> Evidence:
    """The terms of a lexicon in one message's words, without those that lie in a longer one."""
    all_found = finder.find(row)
    if not all_found:
        return _NOTHING
    by_label: dict[str, list[Found]] = defaultdict(list)
    for one in all_found:
        by_label[one.term.label].append(one)
    found = {
        label: {one.term.text: one.term for one in (without_overlaps(of_label) if len(of_label) > 1 else of_label)}
        for label, of_label in by_label.items()
    }
    return Evidence(found, {label: sum(term.weight for term in terms.values()) for label, terms in found.items()})
