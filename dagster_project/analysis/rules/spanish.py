"""Spanish as people write it, brought to one form: without accents, by sound, abbreviations written out."""

import re
import unicodedata
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
_EMOJI_WORDS = {sign: f" emoji{name} " for name, emojis in _EMOJI.items() for sign in emojis}
_EMOJI_TABLE = {ord(sign): word for sign, word in _EMOJI_WORDS.items()}
_URL = re.compile(r"https?://\S+|www\.\S+")
_WORD = re.compile(r"\[[a-z]+[^\]]*\]|[a-z]+|\d+(?:[.,]\d+)*|[?!]+")
_LETTERS_HELD = re.compile(r"([a-z])\1{2,}")
_LAUGHTER = re.compile(r"^(ja|je|ji|ha|he)+(j|h)?$")


def words(text: str) -> list[str]:
    """The words of a text by their sound; ?, !, numbers and [placeholders] are words of their own."""
    plain = fold(_URL.sub(" enlace ", text).translate(_EMOJI_TABLE))
    return [sounded for word in glossary.meant(_WORD.findall(plain)) for sounded in _spoken(word) if sounded]


def fold(text: str) -> str:
    """Lower case, without accents or other marks."""
    split = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in split if not unicodedata.combining(sign))


@lru_cache(maxsize=50_000)
def _spoken(word: str) -> tuple[str, ...]:
    if not word[0].isalpha():
        return (word[0],) if word[0] in "?!" else (word,)
    if _LAUGHTER.match(word) and len(word) > 3:
        return ("jaja",)
    held = _LETTERS_HELD.sub(r"\1", word)
    return tuple(sound(part) for part in _ABBREVIATIONS.get(held, held).split())


_SOUNDS = (
    (re.compile(r"gu(?=[ei])"), "G"),
    (re.compile(r"g(?=[ei])"), "j"),
    (re.compile(r"G"), "g"),
    (re.compile(r"ch"), "C"),
    (re.compile(r"xc(?=[ei])|x"), "s"),
    (re.compile(r"qu(?=[ei])|q"), "k"),
    (re.compile(r"c(?=[ei])|z"), "s"),
    (re.compile(r"c"), "k"),
    (re.compile(r"C"), "ch"),
    (re.compile(r"(?<!c)h"), ""),
    (re.compile(r"ll"), "y"),
    (re.compile(r"v"), "b"),
    (re.compile(r"m(?=[bp])"), "n"),
    (re.compile(r"(.)\1"), r"\1"),
)


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """A folded word by its sound: b for v, s for z and soft c, no h: "aser", "hacer" and "hazer" are one word."""
    for pattern, replacement in _SOUNDS:
        word = pattern.sub(replacement, word)
    return word
