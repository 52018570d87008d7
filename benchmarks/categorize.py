"""How many chats a second the rules categorize, on one core: chats of several messages, no two alike.

.venv/bin/python benchmarks/categorize.py
.venv/bin/python benchmarks/categorize.py --chats 1000
"""

import argparse
import random
import time
from pathlib import Path

from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.evaluation.scores import read_labelled
from dagster_project.analysis.rules.classifier import RulesClassifier

TRAINING = Path(__file__).parents[1] / "scripts" / "training"


def main() -> None:
    """Print messages, seconds of the processor and chats a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=10_000)
    chats = _chats(parser.parse_args().chats)
    began = time.process_time()
    rules = RulesClassifier()
    ready = time.process_time()
    for chat in chats:
        rules.classify(chat)
    seconds = time.process_time() - ready
    messages = sum(len(chat.messages) for chat in chats)
    print(
        f"{len(chats):,} chats, {messages:,} messages, {rules.version}: {seconds:.1f} s of one core, "
        f"{len(chats) / seconds:,.0f} chats/s; {ready - began:.2f} s to read lexicon and weights"
    )


def _chats(count: int) -> list[Conversation]:
    """The training chats again and again, each time with a few words that never were there: names, numbers, slips."""
    chance = random.Random(0)
    known = [one.conversation for file in sorted(TRAINING.glob("*.jsonl")) for one in read_labelled(file)]
    return [
        Conversation(
            tuple(
                Message(one.incoming, f"{one.text} {_invented(chance)} {chance.randrange(10**6)}", one.minutes)
                for one in known[number % len(known)].messages
            )
        )
        for number in range(count)
    ]


def _invented(chance: random.Random) -> str:
    return "".join(chance.choice("aeiou" if place % 2 else "bcdfglmnprst") for place in range(chance.randrange(4, 9)))


if __name__ == "__main__":
    main()
