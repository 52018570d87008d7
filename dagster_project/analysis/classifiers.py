"""Which classifier a setting means."""

import logging
from pathlib import Path

from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import connect
from dagster_project.analysis.claude.prices import UnknownPrice
from dagster_project.analysis.evaluation.scores import Classifier
from dagster_project.analysis.rules.classifier import LEXICON, MODEL, LexiconError, RulesClassifier
from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy
from dagster_project.settings import Settings

log = logging.getLogger(__name__)


class Unusable(Exception):
    """The classifier cannot be used as it is set up; one line that says why."""


class OtherLabels(Unusable):
    """The rules would name labels that the business's taxonomy does not have."""


def taxonomy_of(settings: Settings) -> Taxonomy:
    """The labels that the settings mean.

    Raises:
        Unusable: the taxonomy cannot be read.
    """
    try:
        return taxonomy.load(settings.ai_taxonomy)
    except taxonomy.TaxonomyError as error:
        raise Unusable(str(error)) from None


def has_key(settings: Settings) -> bool:
    """Whether Claude is to be used: somebody gave a key."""
    return bool(settings.anthropic_api_key and settings.anthropic_api_key.get_secret_value().strip())


def claude_of(settings: Settings) -> ClaudeClassifier:
    """Claude as the settings say.

    Raises:
        Unusable: there is no API key, the taxonomy cannot be read, or the model has no price.
    """
    if not has_key(settings) or not settings.anthropic_api_key:
        raise Unusable("ANTHROPIC_API_KEY is missing: Claude cannot be asked")
    try:
        client = connect(settings.anthropic_api_key.get_secret_value().strip(), settings.anthropic_base_url)
        return ClaudeClassifier(
            client,
            taxonomy_of(settings),
            model=settings.ai_model,
            effort=settings.ai_effort,
            redacts=settings.ai_redaction == "on",
        )
    except UnknownPrice as error:
        raise Unusable(str(error)) from None


def rules_of(settings: Settings, lexicon: Path | None = None) -> RulesClassifier:
    """The rules as the settings say.

    Args:
        lexicon: another one than the settings name.

    Raises:
        Unusable: the lexicon cannot be read.
        OtherLabels: the taxonomy lacks a label that the rules were trained on.
    """
    try:
        rules = RulesClassifier(lexicon or settings.ai_lexicon or LEXICON)
    except LexiconError as error:
        raise Unusable(str(error)) from None
    for field, there_are in taxonomy_of(settings).labels.items():
        known = rules.labels.get(field, ())
        if missing := [label for label in known if label not in there_are]:
            raise OtherLabels(
                f"{MODEL} would name {', '.join(missing)} ({field}), which your taxonomy does not have: set "
                "ANTHROPIC_API_KEY, or train other rules (scripts/train_rules.py)"
            )
        if untrained := [label for label in there_are if label not in known]:
            log.warning("%s never names %s (%s): it was not trained on it", MODEL, ", ".join(untrained), field)
    return rules


def classifier_of(name: str, settings: Settings, lexicon: Path | None = None) -> Classifier:
    """The classifier of a name, "rules-v1" or "claude"; see `rules_of` and `claude_of`."""
    return rules_of(settings, lexicon) if name == "rules-v1" else claude_of(settings)
