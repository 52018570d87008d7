"""Which classifier a setting means."""

from pathlib import Path

from dagster_project.analysis import taxonomy
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import StopRun, connect
from dagster_project.analysis.claude.prices import UnknownPrice
from dagster_project.analysis.evaluation import Classifier
from dagster_project.analysis.rules.classifier import LEXICON, LexiconError, RulesClassifier
from dagster_project.settings import Settings


class Unusable(Exception):
    """The classifier cannot be used as it is set up; one line that says why."""


def classifier_of(name: str, settings: Settings, lexicon: Path | None = None) -> Classifier:
    """The classifier of a name: "rules-v1" or "claude".

    Raises:
        Unusable: the lexicon or taxonomy cannot be read, there is no API key, or the model has no price.
    """
    try:
        if name == "rules-v1":
            return RulesClassifier(lexicon or settings.ai_lexicon or LEXICON)
        if not settings.anthropic_api_key:
            raise Unusable("ANTHROPIC_API_KEY is missing: Claude cannot be asked")
        client = connect(settings.anthropic_api_key.get_secret_value(), settings.anthropic_base_url)
        labels = taxonomy.load(settings.ai_taxonomy or taxonomy.SHIPPED)
        return ClaudeClassifier(client, labels, model=settings.ai_model, effort=settings.ai_effort)
    except (LexiconError, taxonomy.TaxonomyError, UnknownPrice, StopRun) as error:
        raise Unusable(str(error)) from None
