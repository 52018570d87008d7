"""Learn what words weigh for the rules (dagster_project/analysis/rules/weights.json) from scripts/training.

    python scripts/train_rules.py            # writes the weights; the same corpora give the same file, byte for byte
    python scripts/train_rules.py --cross    # only scores the rules on each author's chats, taught by the others

Multinomial logistic regression by stochastic gradient descent, for intent, stage and sentiment each, in plain Python:
some minutes. Rare cues may weigh more than frequent ones (inverse document frequency). How sure the rules are of an
intent is learnt from where they were right on each author's chats, taught by the others.
All chats are invented; scripts/training/README.md says by whom. Chats of your own: add a .jsonl file there.
"""

import argparse
import csv
import hashlib
import json
import math
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.evaluation.scores import UNSURE, Labelled, evaluate, fields_of, read_labelled
from dagster_project.analysis.injection import without_orders
from dagster_project.analysis.rules import cues
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.rules.confidence import FEATURES
from dagster_project.analysis.rules.learnt import DAMPING, MIN_WORDS, WEIGHTS, row_of
from dagster_project.analysis.rules.spanish import fold, words

CORPORA = Path(__file__).parent / "training"
FIELDS = fields_of()
LEARNT = ("customer_intent", "journey_stage", "sentiment")
SEEN = {"w1": {"lines_after_w1"}}  # who wrote these lines had read those chats: not learnt from when those are judged

EPOCHS, PACE = 20, 0.05
STRENGTH = {"customer_intent": 10, "journey_stage": 10, "sentiment": 30}  # the higher, the closer to the chats
RARITY = {"customer_intent": 1.5, "journey_stage": 1.5, "sentiment": 1.25}
OF_PIECE = 0.5  # beside a whole word
LEAST_WEIGHT, FEWEST_PAIRS = 0.06, 2  # of a cue that is kept; pairs of a single chat hardly come again
TOLD = 4  # chats that a word stands in to be told as a reason: names hardly do
PERSONS = {"camilo", "chucho", "lucia"}
_PERSONS = {sound for person in PERSONS for sound in words(person)}
Cue = tuple[str, str]  # kind: word, pair, letters, signal; and what it is
Model = dict[Cue, list[float]]


def main() -> None:
    """Judge on each author's chats what the others taught, and train on everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cross", action="store_true", help="only judge")
    only_judge = parser.parse_args().cross
    corpora = _corpora()
    authors = [name for name in corpora if name.startswith("w")]
    with ProcessPoolExecutor() as pool:
        everything = None if only_judge else pool.submit(_taught, frozenset())
        weights = dict(zip(authors, pool.map(_taught, ({one} | SEEN.get(one, set()) for one in authors)), strict=True))
    guesses = {author: _guesses(weights[author], corpora[author]) for author in weights}
    for author in authors:
        sureness = _learn_confidence(one for other in authors if other != author for one in guesses[other])
        _judge(author, _with_confidence(weights[author], sureness), corpora[author])
    if everything:
        sureness = _learn_confidence(one for author in authors for one in guesses[author])
        WEIGHTS.write_text(_with_confidence(everything.result(), sureness))


def fingerprint() -> str:
    """What the weights were learnt from: the first eight signs of the hash of the files in scripts/training."""
    files = sorted([*CORPORA.glob("*.jsonl"), *CORPORA.glob("*.tsv")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _corpora() -> dict[str, list[Labelled]]:
    """The labelled chats, by author (the file's name)."""
    found = {file.stem: read_labelled(file) for file in sorted(CORPORA.glob("*.jsonl"))}
    for file in sorted(CORPORA.glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            found[file.stem] = [_line(*row) for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return found


def _line(intent: str, stage: str, sentiment: str, text: str) -> Labelled:
    """A customer's messages in a line, with " // " between."""
    gold = {"customer_intent": intent, "journey_stage": stage or None, "sentiment": sentiment, "agent_quality": None}
    return Labelled("", Conversation(tuple(Message(True, one) for one in text.split(" // "))), gold, frozenset(gold))


def _taught(left_out: Collection[str]) -> str:
    """The file of weights that all chats but some authors' teach."""
    return _trained(one for name, chats in _corpora().items() if name not in left_out for one in chats)


def _judge(author: str, weights: str, chats: Sequence[Labelled]) -> None:
    report = evaluate(_classifier(weights), chats)
    scores = ", ".join(f"{name} {score.accuracy:.3f}" for name, score in report.fields.items() if score.accuracy)
    print(
        f"{author} ({report.chats} chats): {scores}; calibration error {report.calibration_error:.3f}; "
        f"below {UNSURE:g}: {report.unsure_share:.2f} of the chats, {report.unsure_of_wrong_share:.2f} of the wrong"
    )


def _guesses(weights: str, chats: Sequence[Labelled]) -> list[tuple[dict[str, float], bool]]:
    """What speaks for an intent's being right, and whether it is."""
    rules = _classifier(weights)
    return [
        (rules.features(one.conversation), rules.classify(one.conversation).intent == one.gold["customer_intent"])
        for one in chats
        if one.gold["customer_intent"]
    ]


def _learn_confidence(guesses: Iterable[tuple[dict[str, float], bool]]) -> dict[str, float]:
    """What `confidence.likely` takes: a logistic regression of being right."""
    known = [({("signal", name): value for name, value in signs.items()}, int(right)) for signs, right in guesses]
    weights, (wrong, right) = _learn(known, 2, STRENGTH["sentiment"], 1, True)
    return {"start": right - wrong} | {name: row[1] - row[0] for (_, name), row in weights.items()}


def _classifier(weights: str) -> RulesClassifier:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.json"
        file.write_text(weights)
        return RulesClassifier(weights=file)


def _with_confidence(weights: str, sureness: dict[str, float]) -> str:
    """The file of weights with what makes the rules sure, in place of nothing."""
    return weights.replace(_confidence(dict.fromkeys(sureness, 0.0)), _confidence(sureness), 1)


def _confidence(sureness: dict[str, float]) -> str:
    return f'"confidence": {json.dumps({name: round(sureness[name], 4) for name in ("start", *FEATURES)})}'


def _trained(labelled: Iterable[Labelled]) -> str:
    """The file of weights that the chats teach."""
    chats = [(one, _cues(one.conversation)) for one in labelled]
    models, starts = {}, []
    for field in LEARNT:
        known = [(found, FIELDS[field].index(label)) for one, found in chats if (label := one.gold[field])]
        models[field], start = _learn(known, len(FIELDS[field]), STRENGTH[field], RARITY[field], field == "sentiment")
        starts += start
    rows: dict[str, dict[str, str]] = {"word": {}, "rare": {}, "pair": {}, "piece": {}, "signal": {}}
    shown = _usual_spelling([one.conversation for one, _ in chats])
    frequency = Counter(cue for _, found in chats for cue in found)
    for kind, name in sorted(frequency):
        row = [weight for field in LEARNT for weight in models[field].get((kind, name), [0.0] * len(FIELDS[field]))]
        often = kind != "pair" or frequency[kind, name] >= FEWEST_PAIRS
        if kind == "signal" or (often and max(map(abs, row)) >= LEAST_WEIGHT):
            written = name if kind in ("piece", "signal") else " ".join(shown[part] for part in name.split(" "))
            rows["rare" if kind == "word" and frequency[kind, name] < TOLD else kind][written] = row_of(row)
    return _file(rows, row_of(starts), [one for one, _ in chats])


def _cues(conversation: Conversation) -> dict[Cue, float]:
    """The cues of a chat, each as much as `Learnt.scores` counts it."""
    conversation = without_orders(conversation)
    rows = [words(message.text) for message in conversation.customer]
    distinct = dict.fromkeys(word for row in rows for word in row)
    found: dict[Cue, float] = defaultdict(float)
    for word in distinct:
        if word not in _PERSONS:
            found["word", cues.stem(word)] += 1
        for piece in cues.pieces(word):
            found["piece", piece] += OF_PIECE
    for pair in set(cues.pairs([cues.stem(word) for word in row] for row in rows)):
        found["pair", " ".join(pair)] = 1
    scale = max(len(distinct), MIN_WORDS) ** -DAMPING
    signals = cues.signals(conversation).items()
    return {cue: value * scale for cue, value in found.items()} | {("signal", name): value for name, value in signals}


def _learn(
    chats: Sequence[tuple[dict[Cue, float], int]], labels: int, strength: float, rarity: float, with_signals: bool
) -> tuple[Model, list[float]]:
    """Weights by cue, and what each label starts with: the mean of the later epochs."""
    frequency = Counter(cue for found, _ in chats for cue in found if with_signals or cue[0] != "signal")
    scale = {cue: _scale(cue, frequency[cue], len(chats), rarity) for cue in sorted(frequency)}
    weights = {cue: [0.0] * labels for cue in scale}
    examples = [
        ([(weights[cue], value * scale[cue]) for cue, value in sorted(found.items()) if cue in scale and value], label)
        for found, label in chats
    ]
    means, start, mean_start = {cue: [0.0] * labels for cue in scale}, [0.0] * labels, [0.0] * labels
    shrinkage, shrunk, steps = 1 / (strength * len(chats)), 1.0, 0
    order, chance = list(range(len(examples))), random.Random(0)
    for epoch in range(EPOCHS):
        chance.shuffle(order)
        for number in order:
            rate = PACE / (1 + 10 * PACE * shrinkage * steps)
            steps += 1
            found, label = examples[number]
            error = _error(found, label, start, shrunk)
            shrunk *= 1 - rate * shrinkage
            for row, value in found:
                by = rate / shrunk * value
                for place, wrong in enumerate(error):
                    row[place] -= by * wrong
            start = [one - rate * wrong for one, wrong in zip(start, error, strict=True)]
        if epoch >= EPOCHS // 2:
            for cue, row in weights.items():
                means[cue] = [mean + shrunk * one for mean, one in zip(means[cue], row, strict=True)]
            mean_start = [mean + one for mean, one in zip(mean_start, start, strict=True)]
    counted = EPOCHS - EPOCHS // 2
    for cue, row in means.items():
        factor = scale[cue] * (OF_PIECE if cue[0] == "piece" else 1) / counted
        means[cue] = [one * factor for one in row]
    return means, [one / counted for one in mean_start]


def _scale(cue: Cue, count: int, chats: int, rarity: float) -> float:
    return 1.0 if cue[0] == "signal" else (math.log((1 + chats) / (1 + count)) + 1) ** rarity / 5


def _error(
    found: Sequence[tuple[list[float], float]], label: int, start: Sequence[float], shrunk: float
) -> list[float]:
    """By label: the probability given to it, less the truth."""
    scores = list(start)
    for row, value in found:
        by = shrunk * value
        for place, weight in enumerate(row):
            scores[place] += by * weight
    odds = [math.exp(score - max(scores)) for score in scores]
    whole = sum(odds)
    return [one / whole - (place == label) for place, one in enumerate(odds)]


def _usual_spelling(conversations: Iterable[Conversation]) -> dict[str, str]:
    """By stem, the word that is most often written for it."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for written in (word for one in conversations for message in one.customer for word in _written(message.text)):
        spoken = words(written)
        if len(spoken) == 1:
            seen[cues.stem(spoken[0])][written] += 1
    usual = {stem: min(forms, key=lambda form: (-forms[form], form)) for stem, forms in seen.items()}
    return _Spelling(usual)


def _written(text: str) -> Iterator[str]:
    return (word for word in "".join(sign if sign.isalpha() else " " for sign in fold(text)).split())


class _Spelling(dict[str, str]):
    """A stem of no written word, such as a sign, is its own."""

    def __missing__(self, stem: str) -> str:
        return stem


def _file(rows: dict[str, dict[str, str]], start: str, chats: Sequence[Labelled]) -> str:
    stages = {}
    for intent in FIELDS["customer_intent"]:
        seen = Counter(one.gold["journey_stage"] for one in chats if one.gold["customer_intent"] == intent)
        whole = sum(seen[stage] + 1 for stage in FIELDS["journey_stage"])
        stages[intent] = {stage: round((seen[stage] + 1) / whole, 4) for stage in FIELDS["journey_stage"]}
    head = {
        "about": "What cues weigh for each label, a sign each (rules/learnt.py). Written by scripts/train_rules.py.",
        "chats": len(chats),
        "learnt_from": fingerprint(),
        "labels": {field: FIELDS[field] for field in LEARNT},
        "stages": stages,
        "start": start,
    }
    nothing = dict.fromkeys(("start", *FEATURES), 0.0)
    parts = [json.dumps(head, ensure_ascii=False)[1:-1], _confidence(nothing)]
    names = {"word": "words", "rare": "rare", "pair": "pairs", "piece": "pieces", "signal": "signals"}
    for kind, name in names.items():
        lines = [f"{json.dumps(cue, ensure_ascii=False)}:{json.dumps(row)}" for cue, row in rows[kind].items()]
        parts.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    main()
