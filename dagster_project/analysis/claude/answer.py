"""What Claude is asked to fill in, and what of an answer is taken: each half is checked for itself."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.analysis.conversation import clean

SCHEMA_VERSION = "schema-v1"
NOTES = 600  # signs
ADVICE = 200

Intent = Literal["PROJECT_INFO", "PAYMENT", "LEGAL", "POST_PURCHASE", "OTHER"]
Stage = Literal["PROSPECT", "ACTIVE_BUYER", "POST_PURCHASE"]
Mood = Literal["POSITIVE", "NEUTRAL", "FRICTION"]
Percent = Annotated[float, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Categories(_Strict):
    """The categorization. The notes come first, so that the labels follow from the evidence."""

    reasoning_notes: str = Field(max_length=NOTES, description="1 o 2 oraciones con la evidencia del chat")
    customer_intent: Intent
    journey_stage: Stage | None = Field(description="null si no aplica: no es cliente ni interesado")
    sentiment: Mood
    agent_quality_score: Annotated[int, Field(ge=1, le=10)] | None = Field(
        description="1 a 10; null si ningún agente escribió"
    )
    confidence: Annotated[float, Field(ge=0, le=1)]


class Effectiveness(_Strict):
    """How well the chat served the customer; the overall score is computed from these, never asked for."""

    resolution_score: Percent = Field(description="0 a 100: qué tan resuelto quedó lo que pidió el cliente")
    customer_satisfaction: Percent | None = Field(
        description="0 a 100 según lo que el cliente escribió; null sin evidencia"
    )
    recommendations: list[Annotated[str, Field(max_length=ADVICE)]] = Field(max_length=3)


class Answer(_Strict):
    """One answer: both halves."""

    categories: Categories
    effectiveness: Effectiveness


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer's text held: a half that is not valid is None, and `faults` says why by field and rule."""

    categories: Categories | None
    effectiveness: Effectiveness | None
    faults: tuple[str, ...]


def check(text: str) -> Checked:
    """Read an answer's text. Never raises; faults quote no value."""
    try:
        content = json.loads(text)
    except ValueError:
        return Checked(None, None, ("not_json",))
    if not isinstance(content, dict):
        return Checked(None, None, ("not_an_object",))
    faults = [f"{key}: extra" for key in content if key not in Answer.model_fields][:5]
    categories = _half(Categories, "categories", content, faults)
    effectiveness = _half(Effectiveness, "effectiveness", content, faults)
    return Checked(categories, effectiveness, tuple(faults))


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(key): _cleaned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return clean(value) if isinstance(value, str) else value


def _half(model: type[Any], name: str, content: dict[str, Any], faults: list[str]) -> Any:
    if name not in content:
        faults.append(f"{name}: missing")
        return None
    try:
        # JSON has one kind of number: 80 is a percentage too, but 7.5 is no score.
        return model.model_validate_json(json.dumps(_cleaned(content[name])))
    except ValidationError as error:
        faults += [f"{name}.{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors()[:5]]
        return None
