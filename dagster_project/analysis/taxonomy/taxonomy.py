"""The one list of labels: what is said of a chat, which labels there are, what they mean, and how they are shown.

Everything else derives from it: Claude's form and prompt, what people may say, evaluations, the columns of tables, the
table analysis.taxonomy_labels that marts read, and the words of reports. A business may bring labels of its own.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.analysis.rules.spanish import fold

SHIPPED = Path(__file__).with_name("taxonomy.yml")
_LABEL = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


class TaxonomyError(ValueError):
    """The taxonomy cannot be used; the text names what is wrong."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: what it means for the business, and the words that show it."""

    name: str
    means: str
    examples: tuple[str, ...]
    es: str
    en: str


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is said of each chat, by one of a few labels.

    Attributes:
        name: as columns are named.
        short: as the command line and the columns of final labels call it.
        asks: what Claude is asked, where the name does not say it.
        note: what Claude is told after the meanings.
        none: when no label applies; None where one always does.
    """

    name: str
    short: str
    labels: tuple[Label, ...]
    asks: str = ""
    note: str = ""
    none: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The labels by name."""
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The labels of one business.

    Attributes:
        version: "taxonomy+" and the first eight characters of the file's hash.
        business: one line on what the business does.
        projects: names that are no persons' names.
    """

    version: str
    business: str
    projects: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """By field, its labels by name."""
        return {field.name: field.names for field in self.fields}

    @property
    def words_to_keep(self) -> frozenset[str]:
        """Words of the projects' names, folded: redaction leaves them."""
        return frozenset(word for project in self.projects for word in fold(project).split())


def load(file: Path | None = None) -> Taxonomy:
    """Read a taxonomy; None is the shipped one. What a business's own does not define is as shipped.

    Raises:
        TaxonomyError: the file is missing or no YAML, has other fields, or a label that is none.
    """
    file = file or SHIPPED
    try:
        data = file.read_bytes()
        content = yaml.safe_load(data)
        return Taxonomy(
            f"taxonomy+{hashlib.sha256(data).hexdigest()[:8]}",
            str(content["business"]),
            tuple(map(str, content.get("projects") or ())),
            tuple(_field(name, content) for name in _fields(content)),
        )
    except OSError as error:
        raise TaxonomyError(f"{file.name}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise TaxonomyError(f"{file.name} is no taxonomy: {type(error).__name__} at {error}") from None


@cache
def shipped() -> Taxonomy:
    """The labels that ship."""
    return load()


@cache
def fields() -> tuple[Field, ...]:
    """The fields that there are: whatever the labels, the columns are these."""
    return shipped().fields


@cache
def _shipped_content() -> Mapping[str, Any]:
    return yaml.safe_load(SHIPPED.read_bytes())


def _fields(content: Mapping[str, Any]) -> list[str]:
    there_are = list(_shipped_content()["fields"])
    if list(content.get("fields", there_are)) != there_are:
        raise TaxonomyError(f"fields have to be {', '.join(there_are)}: each is a column of tables and marts")
    return there_are


def _field(name: str, content: Mapping[str, Any]) -> Field:
    shipped = _shipped_content()
    given = content.get(name) or shipped[name]
    if len(given) < 2:
        raise TaxonomyError(f"{name} has to define two labels or more")
    described = shipped["fields"][name]
    as_shipped = set(given) == set(shipped[name])
    in_order = shipped[name] if as_shipped else given
    labels = tuple(_label(name, label, given[label], shipped[name].get(label) or {}) for label in in_order)
    # A note may speak of labels: that of the shipped ones is of no use to others.
    note = (content.get("notes") or (shipped["notes"] if as_shipped else {})).get(name, "")
    return Field(name, described["short"], labels, described.get("asks", ""), note, described.get("none"))


def _label(field: str, name: Any, given: Mapping[str, Any], shipped: Mapping[str, Any]) -> Label:
    if not isinstance(name, str) or not _LABEL.fullmatch(name) or name == "NONE":
        raise TaxonomyError(f"{field}: {name!s:.60} is no label: capitals, digits and _, up to 40, and not NONE")
    shown = {language: str(given.get(language) or shipped.get(language) or name) for language in ("es", "en")}
    return Label(name, str(given["means"]), tuple(map(str, given.get("examples") or ())), **shown)
