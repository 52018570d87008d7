"""Personal data out of a chat, before anything leaves the machine.

What one side writes in one go is read as one text, as a number or a name may be spread over messages, and in the light
of what the other side asked before it. What is known of the contact and the agents goes, however it is written; so does
what looks like personal data, in the forms of Latin America and Spain (`personal`). One thing has one placeholder
throughout a chat, so the text keeps its sense. `leaks` looks at the result once more: what it finds must not be sent.
Amounts, dates, times, unit numbers and names of projects stay.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dagster_project.analysis.conversation import Message
from dagster_project.analysis.personal import addresses, documents, names, numbers, questions
from dagster_project.analysis.personal.plain import Plain, plain
from dagster_project.analysis.personal.spans import Span, merged

VERSION = "redactor-v2"
FIRST_VERSION = "redactor-v1"  # stays in the keys of answers, so that a text that reads as before is not paid again
MIN_ADDRESS = 8  # characters; shorter ones are no address but a city
MIN_KNOWN_DIGITS = 5
MAX_CARRIES = 2  # turns after which a question that got no answer is forgotten


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the persons in a chat: names, and values that are theirs (mobile, e-mail, identification)."""

    names: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()  # (kind, value): "TEL", "EMAIL", "CEDULA", "DIRECCION"


@dataclass(frozen=True, slots=True)
class Redacted:
    """A chat's texts, message by message, and the kinds of personal data that may be left in them: then do not send."""

    texts: list[str]
    left: list[str]


@dataclass(slots=True)
class _Turn:
    """What one side writes in one go; the other's asides do not end it."""

    incoming: bool
    places: list[int]
    asked: frozenset[str]
    has_digits: bool = False


@dataclass(slots=True)
class _Question:
    """What one side has to answer, and how many turns ago it was asked."""

    kinds: frozenset[str] = frozenset()
    turns: int = 0


def redact(messages: Sequence[Message], known: Known, keep: frozenset[str] = frozenset()) -> Redacted:
    """The texts of a chat with placeholders such as [PERSONA_1], [TEL_1], [CEDULA_1], [EMAIL_1], [DIRECCION_1].

    Args:
        known: what is taken out however it is written.
        keep: words that are no names although a contact may be called so, such as a project's.
    """
    texts = [_BLANKS.sub(lambda found: found[0][:3], one.text) for one in messages]
    redactor = _Redactor(known, keep)
    for turn in _turns(messages, texts):
        redactor.replace(turn, texts)
    texts = [_collapsed(text) for text in texts]
    return Redacted(
        texts, leaks(("\n".join(texts[at] for at in turn.places) for turn in _turns(messages, texts)), known)
    )


def leaks(texts: Iterable[str], known: Known) -> list[str]:
    """Kinds of personal data that redacted texts still hold; empty when they may be sent. Quotes nothing."""
    found: set[str] = set()
    for text in texts:
        read = plain(_PLACEHOLDER.sub(" z ", text))
        if any(map(str.isdigit, read.text)) or numbers.has_words(read.text):
            found |= {span.kind for span in (*numbers.numbers(read.text), *numbers.after_cues(read.text))}
            if numbers.left_over(read.text):
                found.add("NUMERO")
            digits = numbers.digits_of(read.text)
            for kind, value in known.values:
                local = re.sub(r"\D", "", value)[-10:]
                if kind not in {"EMAIL", "DIRECCION"} and len(local) >= 6 and local in digits:
                    found.add(kind)
        if addresses.has_at(read.text):
            found |= {span.kind for span in addresses.mails(read.text)}
            squeezed = re.sub(r"\s", "", read.text)
            found |= {kind for kind, value in known.values if "@" in value and plain(value).text in squeezed}
    return sorted(found)


def _turns(messages: Sequence[Message], texts: Sequence[str]) -> list[_Turn]:
    """The chat's turns, with what the other side asked before each."""
    turns: list[_Turn] = []
    open_turns: dict[bool, _Turn] = {}
    pending = {True: _Question(), False: _Question()}
    last_side = None
    for place, (one, text) in enumerate(zip(messages, texts, strict=True)):
        side, said = one.incoming, plain(text).text
        if side not in open_turns:
            open_turns[side] = _Turn(side, [], pending[side].kinds)
            turns.append(open_turns[side])
        turn = open_turns[side]
        turn.places.append(place)
        turn.has_digits = turn.has_digits or any(map(str.isdigit, said))
        kinds = questions.asked(said)
        if kinds or not questions.is_aside(said):
            answer = open_turns.pop(not side, None)
            if last_side == side:
                pending[not side].kinds |= kinds
            elif kinds or (answer and answer.has_digits) or pending[not side].turns >= MAX_CARRIES:
                pending[not side] = _Question(kinds)
            else:
                pending[not side] = _Question(pending[not side].kinds - {"name", "secret"}, pending[not side].turns + 1)
        last_side = side
    return turns


@dataclass(slots=True)
class _Redactor:
    """Gives each thing its placeholder."""

    known: Known
    keep: frozenset[str]
    placeholders: dict[tuple[str, str], str] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    def replace(self, turn: _Turn, texts: list[str]) -> None:
        """Put placeholders into the texts of a turn; what is spread over several has it in each."""
        whole = "\n".join(texts[place] for place in turn.places)
        read = plain(whole)
        spans = merged(self._spans(read, whole, turn))
        if not spans:
            return
        found = [(*read.place(span.start, span.end), self._placeholder(span)) for span in spans]
        start = 0
        for place in turn.places:
            end = start + len(texts[place])
            inside = [
                (max(first, start) - start, min(last, end) - start, placeholder)
                for first, last, placeholder in found
                if first < end and last > start
            ]
            start, texts[place] = end + 1, _substituted(texts[place], inside)

    def _spans(self, read: Plain, whole: str, turn: _Turn) -> Iterator[Span]:
        text = read.text
        written = whole if isinstance(read.origin, range) else "".join(whole[place] for place in read.origin)
        has_digit = any(map(str.isdigit, text))
        if has_digit:
            for kind, value in self.known.values:
                yield from _known_value(kind, value, text)
        if addresses.has_at(text):
            yield from addresses.mails(text)
        yield from addresses.links(text)
        yield from addresses.files(text)
        ordinary = names.lexicon().ordinary
        if has_digit:
            yield from documents.documents(text, written, ordinary)
        else:
            yield from documents.secrets(text, ordinary)
        if has_digit or numbers.has_words(text):
            yield from addresses.streets(text)
            yield from numbers.after_cues(text)
            yield from numbers.numbers(text)
        yield from names.names(text, written, names.index(self.known.names), self.keep)
        if "name" in turn.asked:
            yield from names.answers(text, written, self.keep)
        if turn.incoming:
            yield from _answers(text, turn.asked)

    def _placeholder(self, span: Span) -> str:
        kind = {"DNI": "CEDULA", "NIE": "CEDULA", "CPF": "CEDULA", "RUC": "NIT", "CUIT": "NIT", "RUT": "NIT"}.get(
            span.kind, span.kind
        )
        digits = re.sub(r"\D", "", span.value)
        key = kind, digits[-10:] if kind in _NUMERIC and len(digits) >= 4 else plain(span.value).text
        if key not in self.placeholders:
            self.count[kind] += 1
            self.placeholders[key] = f"[{kind}_{self.count[kind]}]"
        return self.placeholders[key]


def _answers(text: str, asked: frozenset[str]) -> Iterator[Span]:
    if "number" in asked:
        yield from numbers.answers(text)
    if "birthday" in asked:
        yield from numbers.birthdays(text)
    if "secret" in asked or "mail" in asked:
        for match in re.finditer(r"^\W*(?P<value>[^\s\[]{4,})\W*$", text, re.MULTILINE):
            if match["value"] not in names.lexicon().ordinary:
                yield Span(
                    match.start("value"), match.end("value"), "CLAVE" if "secret" in asked else "EMAIL", match["value"]
                )
    if "address" in asked:
        yield from addresses.answers(text)


def _known_value(kind: str, value: str, text: str) -> Iterator[Span]:
    pattern = _pattern_of(kind, value)
    if pattern:
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), kind, value)


@lru_cache(maxsize=4096)
def _pattern_of(kind: str, value: str) -> re.Pattern[str] | None:
    """Finds a value that is known, however it is spaced."""
    digits = re.sub(r"\D", "", value)
    if kind == "DIRECCION":
        words = re.findall(r"\w+", plain(value).text)
        return re.compile(r"\W{0,3}".join(map(re.escape, words))) if len(value) >= MIN_ADDRESS else None
    if kind == "EMAIL" or len(digits) < MIN_KNOWN_DIGITS:
        return None  # whatever looks like an e-mail address goes
    local = digits[-10:] if kind == "TEL" else digits
    return re.compile(r"(?<!\d)(?:\+?\d{1,3}[^a-z0-9]{0,2})?" + r"[^a-z0-9]{0,3}".join(local) + r"(?!\d)")


def _substituted(text: str, found: Iterable[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, placeholder in found:
        pieces += [text[at:start], placeholder]
        at = end
    return "".join([*pieces, text[at:]])


def _collapsed(text: str) -> str:
    """One placeholder where a person's name and surname each had one."""
    return _TWICE.sub(r"\1", text)


_NUMERIC = frozenset({"TEL", "CEDULA", "NIT", "CUENTA", "NUMERO", "TARJETA"})
_BLANKS = re.compile(r"\s{4,}")
_PLACEHOLDER = re.compile(r"\[[A-Z]{3,10}_\d{1,3}\]")
_TWICE = re.compile(r"(\[PERSONA_\d+\])(?:\s+\1)+")
