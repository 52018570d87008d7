"""What the labels mean for the business: one YAML file that the business edits; another text is another version."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dagster_project.analysis.rules.spanish import fold
from dagster_project.analysis.taxonomy.categories import INTENTS, SENTIMENTS, STAGES

SHIPPED = Path(__file__).with_name("taxonomy.yml")
LABELS = {"customer_intent": INTENTS, "journey_stage": STAGES, "sentiment": SENTIMENTS}


class TaxonomyError(ValueError):
    """The taxonomy cannot be used; the text names what is wrong."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Definitions of the labels.

    Attributes:
        version: "taxonomy+" and the first eight signs of the file's hash.
        business: one line on what the business does.
        projects: names that are no persons' names.
        labels: by field, by label: (meaning, examples).
    """

    version: str
    business: str
    projects: tuple[str, ...]
    labels: dict[str, dict[str, tuple[str, tuple[str, ...]]]]

    @property
    def words_to_keep(self) -> frozenset[str]:
        """Words of the projects' names, folded: redaction leaves them."""
        return frozenset(word for project in self.projects for word in fold(project).split())


def load(file: Path = SHIPPED) -> Taxonomy:
    """Read a taxonomy.

    Raises:
        TaxonomyError: the file is missing or no YAML, or does not define exactly the labels there are.
    """
    try:
        data = file.read_bytes()
        content = yaml.safe_load(data)
        labels = {name: _definitions(name, content[name]) for name in LABELS}
        return Taxonomy(
            f"taxonomy+{hashlib.sha256(data).hexdigest()[:8]}",
            str(content["business"]),
            tuple(map(str, content.get("projects") or ())),
            labels,
        )
    except OSError as error:
        raise TaxonomyError(f"{file.name}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise TaxonomyError(f"{file.name} is no taxonomy: {type(error).__name__} at {error}") from None


def _definitions(name: str, given: Any) -> dict[str, tuple[str, tuple[str, ...]]]:
    if set(given) != set(LABELS[name]):
        raise TaxonomyError(f"{name} has to define exactly {', '.join(LABELS[name])}")
    return {
        label: (str(given[label]["means"]), tuple(map(str, given[label].get("examples") or ())))
        for label in LABELS[name]
    }
