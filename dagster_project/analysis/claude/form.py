"""The form that Claude is asked to fill in, and what of an answer is taken: each half is checked for itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from dagster_project.analysis.conversation import clean
from dagster_project.analysis.taxonomy import taxonomy

SCHEMA_VERSION = "schema-v1"
MAX_NOTES = 600  # characters
MAX_ADVICE = 200

Percent = Annotated[float, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Effectiveness(_Strict):
    """How well the chat served the customer; the overall score is computed from these, never asked for."""

    resolution_score: Percent = Field(description="0 a 100: qué tan resuelto quedó lo que pidió el cliente")
    customer_satisfaction: Percent | None = Field(
        description="0 a 100 según lo que el cliente escribió; null sin evidencia"
    )
    recommendations: list[Annotated[str, Field(max_length=MAX_ADVICE)]] = Field(max_length=3)


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer's text held: a half that is not valid is None, and `faults` says why by field and rule.

    Attributes:
        categories: the labels by field, agent_quality_score, confidence and reasoning_notes.
    """

    categories: dict[str, Any] | None
    effectiveness: Effectiveness | None
    faults: tuple[str, ...]


class Form:
    """The form for the labels of one taxonomy."""

    def __init__(self, fields: Sequence[taxonomy.Field]) -> None:
        labels: dict[str, Any] = {field.name: _one_of(field) for field in fields}
        self._categories = create_model(
            "Categories",
            __base__=_Strict,
            __doc__="The categorization. The notes come first, so that the labels follow from the evidence.",
            reasoning_notes=(
                str,
                Field(max_length=MAX_NOTES, description="1 o 2 oraciones con la evidencia del chat"),
            ),
            **labels,
            agent_quality_score=(
                Annotated[int, Field(ge=1, le=10)] | None,
                Field(description="1 a 10; null si ningún agente escribió"),
            ),
            confidence=(Annotated[float, Field(ge=0, le=1)], ...),
        )
        self._answer = create_model(
            "Answer",
            __base__=_Strict,
            __doc__="One answer: both halves.",
            categories=(self._categories, ...),
            effectiveness=(Effectiveness, ...),
        )

    def schema(self) -> dict[str, Any]:
        """The form as a JSON schema, as the API takes it."""
        from anthropic import transform_schema  # noqa: PLC0415  seconds

        return transform_schema(self._answer)

    def check(self, text: str) -> Checked:
        """Read an answer's text. Never raises; faults quote no value."""
        try:
            content = json.loads(text)
        except ValueError:
            return Checked(None, None, ("not_json",))
        if not isinstance(content, dict):
            return Checked(None, None, ("not_an_object",))
        faults = [f"{key}: extra" for key in content if key not in self._answer.model_fields][:5]
        categories = _half(self._categories, "categories", content, faults)
        effectiveness = _half(Effectiveness, "effectiveness", content, faults)
        return Checked(categories and categories.model_dump(), effectiveness, tuple(faults))


def _one_of(field: taxonomy.Field) -> tuple[Any, Any]:
    literal: Any = Literal
    label = literal[field.names]
    if field.none:
        return label | None, Field(description=f"null si no aplica: {field.none}")
    return label, ...


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
