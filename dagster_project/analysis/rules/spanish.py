"""Spanish as people write it, brought to one form: without accents, by sound, abbreviations written out."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from dagster_project.analysis.rules import glossary

_ABBREVIATIONS = {
    "q": "que",
    "k": "que",
    "ke": "que",
    "qe": "que",
    "xq": "porque",
    "pq": "porque",
    "xk": "porque",
    "porq": "porque",
    "x": "por",
    "xfa": "porfavor",
    "xfavor": "porfavor",
    "porfa": "porfavor",
    "porfis": "porfavor",
    "pf": "porfavor",
    "plis": "porfavor",
    "tb": "tambien",
    "tmb": "tambien",
    "tbn": "tambien",
    "pa": "para",
    "dnd": "donde",
    "cdo": "cuando",
    "cto": "cuanto",
    "cnto": "cuanto",
    "msj": "mensaje",
    "msjs": "mensajes",
    "wpp": "whatsapp",
    "apto": "apartamento",
    "aptos": "apartamentos",
    "apt": "apartamento",
    "apta": "apartamento",
    "depto": "apartamento",
    "ndie": "nadie",
    "grax": "gracias",
    "grs": "gracias",
    "graciass": "gracias",
    "bn": "bien",
    "info": "informacion",
    "inf": "informacion",
    "hv": "hoja de vida",
    "cta": "cuenta",
    "d": "de",
    "toy": "estoy",
    "tan": "estan",
    "ps": "pues",
    "pte": "pendiente",
    "admon": "administracion",
    "ctas": "cuentas",
    "doc": "documento",
    "docs": "documentos",
    "tel": "telefono",
    "nro": "numero",
    "hab": "habitaciones",
}

_EMOJI = {
    "enojo": "😡😠🤬👎😤💢",
    "hastio": "🙄😒🤦🤷😑",
    "tristeza": "😢😭😞😔☹😟😩😫",
    "alegria": "😊😍🥰😁😀😃🤗🎉❤💚💙💛🥳😇💯👏",
    "ruego": "🙏",
    "visto": "👍👌",
}
_EMOJI_TABLE = {ord(character): f" emoji{name} " for name, emojis in _EMOJI.items() for character in emojis}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_URL = re.compile(r"https?://\S+|www\.\S+")
_WORD = re.compile(r"\[[a-z]+[^\]]*\]|[a-z]+|\d+(?:[.,]\d+)*|[?!]+")
_LETTERS_HELD = re.compile(r"([a-z])\1{2,}")
_LAUGHTER = re.compile(r"^(ja|je|ji|ha|he)+(j|h)?$")


def words(text: str) -> list[str]:
    """The words of a text by their sound; ?, !, numbers and [placeholders] are words of their own."""
    return [sounded for word in written(text) for sounded in spoken(word)]


def written(text: str) -> Sequence[str]:
    """The words of a text as they are written, folded; those of the glossary in place of what they stand for."""
    if "http" in text or "www." in text:
        text = _URL.sub(" enlace ", text)
    plain = text.lower()
    if not plain.isascii():
        plain = _NOT_ASCII.sub(lambda found: _without_emoji(found[0]), plain)
    return glossary.meant(_WORD.findall(plain))


def fold(text: str) -> str:
    """Lower case, without accents or other marks."""
    return _NOT_ASCII.sub(lambda found: _without_marks(found[0]), text.lower())


@lru_cache(maxsize=10_000)
def _without_emoji(text: str) -> str:
    return _without_marks(text.translate(_EMOJI_TABLE))


@lru_cache(maxsize=10_000)
def _without_marks(text: str) -> str:
    split = unicodedata.normalize("NFKD", text)
    return "".join(character for character in split if not unicodedata.combining(character))


def spoken(word: str) -> tuple[str, ...]:
    """A written word by its sound: an abbreviation is several."""
    if not word[0].isalpha():
        return (word[0],) if word[0] in "?!" else (word,)
    if word[0] in "jh" and len(word) > 3 and _LAUGHTER.match(word):
        return ("jaja",)
    held = _LETTERS_HELD.sub(r"\1", word)
    parts = _ABBREVIATIONS[held].split() if held in _ABBREVIATIONS else (held,)
    return tuple(filter(None, map(sound, parts)))


# In this order. What goes by the letters around it is a pattern, and the letter says which words need be looked at.
_SOUNDS = (
    ("g", re.compile(r"gu(?=[ei])"), "G"),
    ("g", re.compile(r"g(?=[ei])"), "j"),
    ("G", None, "g"),
    ("ch", None, "C"),
    ("x", re.compile(r"xc(?=[ei])|x"), "s"),
    ("q", re.compile(r"qu(?=[ei])|q"), "k"),
    ("c", re.compile(r"c(?=[ei])"), "s"),
    ("z", None, "s"),
    ("c", None, "k"),
    ("C", None, "ch"),
    ("h", re.compile(r"(?<!c)h"), ""),
    ("ll", None, "y"),
    ("v", None, "b"),
    ("m", re.compile(r"m(?=[bp])"), "n"),
    ("", re.compile(r"(.)\1"), r"\1"),
)


def sound(word: str) -> str:
    """A folded word by its sound: b for v, s for z and soft c, no h: "aser", "hacer" and "hazer" are one word."""
    for letters, pattern, replacement in _SOUNDS:
        if letters in word:
            word = pattern.sub(replacement, word) if pattern else word.replace(letters, replacement)
    return word
