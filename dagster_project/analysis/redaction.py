"""Personal data out of a chat, before anything leaves the machine.

What is known of the contact and the agent goes first, however it is written; then what looks like an e-mail address, a
Colombian identity or tax number, a phone number, an account or an address. One thing has one placeholder throughout a
chat, so the text keeps its sense. `leaks` looks at the result with wider patterns: what it finds must not be sent.
A name in lower case that nobody told us can pass; amounts, unit numbers and names of projects stay.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import phonenumbers

VERSION = "redactor-v1"
REGION = "CO"
LEAST_NAME = 4  # letters; shorter parts of a name are too often words
LEAST_ADDRESS = 8  # signs; shorter ones are no address but a city


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the persons in a chat: names, and values that are theirs (mobile, e-mail, identification)."""

    names: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()  # (kind, value): "TEL", "EMAIL", "CEDULA", "DIRECCION"


@dataclass(slots=True)
class Redactor:
    """Redacts the texts of one chat.

    Attributes:
        known: what to take out first.
        keep: words that are no names although a contact may be called so, such as a project's.
    """

    known: Known
    keep: frozenset[str] = frozenset()
    _placeholders: dict[tuple[str, str], str] = field(default_factory=dict)

    def redact(self, text: str) -> str:
        """The text with placeholders such as [PERSONA_1], [TEL_1], [CEDULA_1], [EMAIL_1], [DIRECCION_1].

        Blanks in a row are three at most: the patterns below would look through long ones again and again.
        """
        text = _BLANKS.sub(lambda found: found[0][:3], text)
        for kind, value in self.known.values:
            text = self._replace_known(kind, value, text)
        for kind, pattern in _PATTERNS:
            text = pattern.sub(partial(self._placeholder_after_cue, kind), text)
        text = self._replace_phones(text)
        return self._replace_names(text)

    def _placeholder_after_cue(self, kind: str, found: re.Match[str]) -> str:
        return found["cue"] + self._placeholder(kind, found["value"])

    def _placeholder(self, kind: str, value: str) -> str:
        key = kind, _canonical(kind, value)
        if key not in self._placeholders:
            number = sum(known_kind == kind for known_kind, _ in self._placeholders) + 1
            self._placeholders[key] = f"[{kind}_{number}]"
        return self._placeholders[key]

    def _replace_known(self, kind: str, value: str, text: str) -> str:
        if ("@" not in text) if kind == "EMAIL" else not any(map(str.isdigit, text)):
            return text
        digits = re.sub(r"\D", "", value)
        if kind in {"TEL", "CEDULA"} and len(digits) >= 6:
            local = digits[-10:] if kind == "TEL" else digits
            spaced = r"[\s.\-]?".join(local)
            pattern = rf"(?<!\d)(?:\+?57[\s.\-]?)?{spaced}(?!\d)"
            return re.sub(pattern, lambda _: self._placeholder(kind, local), text)
        if (kind == "EMAIL" and "@" in value) or (kind == "DIRECCION" and len(value) >= LEAST_ADDRESS):
            pattern = r"\s+".join(map(re.escape, value.split()))
            return re.sub(pattern, lambda _: self._placeholder(kind, value), text, flags=re.IGNORECASE)
        return text

    def _replace_phones(self, text: str) -> str:
        for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, REGION))):
            if "$" not in text[: match.start][-2:]:
                text = text[: match.start] + self._placeholder("TEL", match.raw_string) + text[match.end :]
        return text

    def _replace_names(self, text: str) -> str:
        for name in self.known.names:
            pattern = _any_part(name, self.keep)
            if pattern and pattern.search(_fold(text)):
                placeholder = self._placeholder("PERSONA", name)
                text = _substitute(pattern, placeholder, text)
                again = re.escape(placeholder)
                text = re.sub(rf"{again}(?:\s+{again})+", placeholder, text)
        return _INTRODUCED.sub(lambda found: found["cue"] + self._placeholder("PERSONA", found["value"]), text)


def leaks(texts: Iterable[str], known: Known) -> list[str]:
    """Kinds of personal data that redacted texts still hold; empty when they may be sent. Quotes nothing."""
    found = set()
    for text in texts:
        plain = re.sub(r"\[[A-Z]+_\d+\]", " ", text)
        found |= {kind for kind, pattern in _LEFT_OVER if pattern.search(plain)}
        squeezed = re.sub(r"[\s.\-]", "", _fold(plain))
        for kind, value in known.values:
            if ("@" not in squeezed) if kind == "EMAIL" else not any(map(str.isdigit, squeezed)):
                continue
            digits = re.sub(r"\D", "", value)
            if (len(digits) >= 6 and digits[-10:] in squeezed) or ("@" in value and _fold(value) in squeezed):
                found.add(kind)
    return sorted(found)


@lru_cache(maxsize=4096)
def _any_part(name: str, keep: frozenset[str]) -> re.Pattern[str] | None:
    """Finds, in folded text, each part of a name that is long enough to be one."""
    parts = [part for part in re.split(r"[^\w]+", _fold(name)) if len(part) >= LEAST_NAME and part not in keep]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, parts))})\b") if parts else None


def _substitute(pattern: re.Pattern[str], placeholder: str, text: str) -> str:
    pieces, at = [], 0
    for found in pattern.finditer(_fold(text)):
        pieces += [text[at : found.start()], placeholder]
        at = found.end()
    return "".join([*pieces, text[at:]])


def _canonical(kind: str, value: str) -> str:
    if kind in {"TEL", "CEDULA", "NIT", "CUENTA"}:
        return re.sub(r"\D", "", value)[-10:]
    return _fold(value)


def _fold(text: str) -> str:
    """Lower case without accents, sign for sign: places in it are places in the text."""
    return text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Each sign's plain form, worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        lowered = unicodedata.normalize("NFKD", sign.lower())
        plain = lowered[0] if lowered and lowered[0].isalnum() and len(sign.lower()) == 1 else sign
        self[code] = plain
        return plain


_FOLDED = _Folded()


def _cued(cue: str, value: str) -> re.Pattern[str]:
    between = r"(?:[\s:.#°º]|\b(?:es|la|el|n[uú]mero|nro|no|con|de)\b)*"
    return re.compile(rf"(?P<cue>(?:{cue}){between})(?P<value>{value})", re.IGNORECASE)


_BLANKS = re.compile(r"\s{4,}")
_NUMBER = r"\d[\d.\s-]{4,16}\d"
_STREET = (
    r"(?:calle|cll|cl|carrera|cra|kra|kr|cr|avenida|av|avda|diagonal|diag|dg|transversal|transv|tv|circular|autopista)"
)
_NAME = r"[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{2,}"
_INTRODUCED = re.compile(
    r"(?P<cue>(?i:\b(?:soy|me llamo|mi nombre es|habla|atentamente|señora?|sra?\.?|don|doña|doctora?|dra?\.?)\s+))"
    rf"(?P<value>{_NAME}(?:\s+(?:de\s+(?:la\s+)?)?{_NAME}){{0,3}})"
)
_PATTERNS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("EMAIL", re.compile(r"(?P<cue>)(?P<value>(?<![\w.+%-])[\w.+%-]+\s?@\s?[\w-]+(?:\.[\w-]+)+)")),
    ("NIT", _cued(r"\bnit\b", r"\d[\d.\s]{6,12}\d(?:\s?-\s?\d)?")),
    ("CUENTA", _cued(
        r"\bcuenta(?:\s+(?:de\s+)?(?:ahorros?|corriente|bancaria|bancolombia|davivienda|bbva|bogot[aá]))*\b|\bcta\b",
        r"\d[\d\s-]{6,20}\d")),
    ("CEDULA", _cued(
        r"\bc[eé]dulas?(?:\s+de\s+(?:ciudadan[ií]a|extranjer[ií]a))?|\bc\.?\s?[ce]\.?(?=[\s:.#])|\bti(?=[\s:.#])"
        r"|\bpasaporte|\bidentificaci[oó]n|\bdocumento(?:\s+de\s+identidad)?|\bidentificad[oa]\s+con",
        r"[A-Z]{0,3}" + _NUMBER)),
    # With dots it may be an amount: round ones and those with a unit stay.
    ("CEDULA", re.compile(
        r"(?P<cue>)(?<![\d.$])(?P<value>\d{1,3}(?:\.\d{3}){2,3}(?:-\d)?)"
        r"(?![\d.]|\s*(?:pesos|millones|mil\b|m2|mts))(?<!000)")),
    ("DIRECCION", re.compile(
        rf"(?P<cue>)(?P<value>\b{_STREET}\.?\s*\d{{1,3}}\s*[a-z]{{0,2}}(?:\s*(?:bis|sur|norte|este))?"
        rf"\s*(?:#|n[°º.]?o?\.?|-|con)\s*\d{{1,3}}\s*[a-z]{{0,2}}(?:\s*-\s*\d{{1,3}})?)", re.IGNORECASE)),
)  # fmt: skip
_LEFT_OVER: Sequence[tuple[str, re.Pattern[str]]] = (
    ("EMAIL", re.compile(r"(?<![\w.+-])[\w.+-]+\s?@\s?[\w-]+\.\w")),
    ("TEL", re.compile(r"(?<!\d)(?:\+?57[\s.-]?)?3\d{2}[\s.-]?\d{3}[\s.-]?\d{2}[\s.-]?\d{2}(?!\d)")),
    ("CEDULA", re.compile(r"(?:c[eé]dula|\bc\.?c\.?|pasaporte|\bnit)\D{0,12}\d{6,}", re.IGNORECASE)),
)
