"""How likely the named intent is right: what tells it, weighed as it turned out on chats of writers not learnt from.

A logistic regression (Platt's scaling with more than the score), which `scripts/train_rules.py` learns across writers.
"""

import math
from collections.abc import Mapping

FEATURES = ("margin", "highest", "lexicon_agrees", "lexicon_contradicts", "unknown", "length")
WIDEST = 6.0  # log odds between the first and the second label, from which on more says nothing


def features(intents: Mapping[str, float], terms: Mapping[str, float], spoken: int, unknown: int) -> dict[str, float]:
    """What tells whether the likeliest intent is right, those of FEATURES.

    Args:
        intents: by intent, its probability.
        terms: by intent, what the lexicon's terms for it weigh; those without any are absent.
        spoken: how many distinct words the chat has.
        unknown: how many of them no labelled chat had.
    """
    named, second = sorted(intents, key=lambda intent: -intents[intent])[:2]
    by_lexicon = max(terms, key=lambda intent: terms[intent], default=None)
    return dict(
        zip(
            FEATURES,
            (
                min(math.log(intents[named] / max(intents[second], 1e-9)), WIDEST),
                intents[named],
                float(by_lexicon == named),
                float(by_lexicon not in (named, None)),
                unknown / max(spoken, 1),
                math.log(1 + spoken),
            ),
            strict=True,
        )
    )


def likely(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The probability that the intent is right, as learnt: `start` and a weight for each of FEATURES."""
    odds = weights["start"] + sum(weights[name] * value for name, value in features.items())
    return 1 / (1 + math.exp(-odds))
