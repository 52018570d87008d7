"""Names of persons in a plain text: those that are known, that a word announces, or that are nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from dagster_project.analysis.personal.plain import plain
from dagster_project.analysis.personal.spans import Span

_WORD = re.compile(r"[a-z]+")
_PARTICLES = frozenset(("de", "del", "la", "las", "los", "da", "do", "dos", "di", "van", "von", "y", "e", "san"))
_SALVO = re.compile(r"\s+y\s+salvo")

_KIN = (
    r"espos[oa]|senora|marido|mujer|herman[oa]s?|hij[oa]s?|mama|papa|madre|padre|suegr[oa]|cunad[oa]|prim[oa]|"
    r"ti[oa]|sobrin[oa]|abuel[oa]|niet[oa]|novi[oa]|pareja|soci[oa]|amig[oa]|jef[ea]"
    r"|vecin[oa]|abogad[oa]|apoderad[oa]|codeudora?|fiadora?|arrendatari[oa]|inquilin[oa]|titular|conyuge|"
    r"companer[oa]|propietari[oa]|duen[oa]|asesora?|ingenier[oa]|arquitect[oa]|vendedora?"
    r"|agente|gestora?|contadora?|notari[oa]|compradora?|beneficiari[oa]|herederos?|representante(?: legal)?|"
    r"porter[oa]|administradora?|secretari[oa]|colega|maestr[oa]|profes?(?:or|ora)?|arq|ing|medic[oa]|"
    r"enfermer[oa]|conductor|capitan|sargento|juez|obrer[oa]|ejecutiv[oa]|director[a]?|coordinadora?|gerente|"
    r"supervisora?|doctora?|senorita|"
    r"polol[oa]|ex|nuera|yerno|madrina|padrino|ahijad[oa]|cuate|compadre|comadre|nana"
)
_STRONG = re.compile(
    r"(?<![a-z])(?:don|dona|d[oñ]a\.|senor(?:a|ita|es)?|sr(?:a|ita|ta|es)?|dr(?:a)?|doctor(?:a)?|lic(?:enciad[oa])"
    r"?|me llamo|se llama|llamad[oa]|mi nombre(?: completo)?|su nombre|a nombre de|de nombre|nombres?(?: y "
    r"apellidos?| completos?)?\s?[:=]"
    r"|apellidos?\s?[:=]|(?:mi|su|el|tu|cuyo) apellidos?(?=,?\s(?:es|era)\b)"
    r"|(?:les?|te) (?:habla|saluda|escribe|atiende|atendio|atendera)|(?:quien )?(?:habla|saluda|"
    r"escribe)(?= )|de parte de|atentamente|atte?|cordialmente|firmad[oa](?: por)?|firma\s?:|(?:quien|que|el que|"
    r"la que) (?:firma|compra|paga|va|llama|recibe|figura|aparece|responde|vive|autoriza)[a-z]{0,4} es|(?:gracias|"
    r"saludos|bendiciones|quedo atent[oa]|feliz (?:dia|tarde|noche))(?=[\s,.!]{0,3}\n)|my name is|mrs?|ms)"
    r"(?![a-z])"
    r"\.?(?:[\s:,.\-*_]|\b(?:es|con|don|dona|el|la|senor|senora|sr|sra|is|usted)\b)*+"
)
_KINSHIP = re.compile(
    rf"(?<![a-z])(?:mi|su|tu|el|la|nuestr[oa]|un|una|del|al) (?:{_KIN})(?![a-z])"
    r"(?:[\s:,.\-*_]|\b(?:es|se llama|llamad[oa]|de nombre|el|la|don|dona)\b)*+"
)
_INTRODUCED = re.compile(
    r"(?<![a-z])(?:soy(?: [a-z]{4,20},)?|"
    r"somos|habl[a-z]{1,5}(?: con)?|llam[a-z]{1,5}(?: a)?|contact[a-z]{1,5}(?: a| con)?|"
    r"comunic[a-z]{1,5}(?: con)?|pregunt[a-z]{1,4} por|busc[a-z]{1,3} a|(?:dig|avis|pid|entreg|escrib)[a-z]{1,5} a"
    r"|i am|this is|un saludo|un abrazo|abrazos|besos|regards|sincerely|"
    r"my (?:husband|wife|mother|father|brother|sister|son|daughter|mom|dad))(?![a-z])"
    r"(?:[\s:,.\-*_]|\b(?:es|el|la|don|dona)\b)*+"
)
_MENTIONED = re.compile(
    r"(?<![a-z])(?:con|para|de|por|dij[oe]|saludos|abrazo|firma|gracias|hola|ok|listo|hi|thanks)(?![a-z])[\s:,.\-*_]*+"
)
_LABEL = re.compile(rf"(?<![a-z])(?:{_KIN})\s?[:=]\s{{0,3}}")
_CUES = (_LABEL, 3), (_STRONG, 3), (_KINSHIP, 3), (_INTRODUCED, 2), (_MENTIONED, 1)


@dataclass(frozen=True, slots=True)
class _Lexicon:
    given: frozenset[str]
    surnames: frozenset[str]
    also_words: frozenset[str]
    ordinary: frozenset[str]
    roles: frozenset[str]
    places: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> _Lexicon:
    """The names and words of names.yml."""
    content = yaml.safe_load(Path(__file__).with_name("names.yml").read_text(encoding="utf-8"))
    return _Lexicon(**{key: frozenset(words.split()) for key, words in content.items()})


@lru_cache(maxsize=4096)
def parts_of(name: str) -> frozenset[str]:
    """The parts by which a person may be called."""
    words = set(_WORD.findall(plain(name).text))
    return frozenset(word for word in words if len(word) > 1 and word not in _PARTICLES | lexicon().roles)


@lru_cache(maxsize=256)
def index(names: tuple[str, ...]) -> Mapping[str, str]:
    """Whose part a word is; the first of several."""
    found: dict[str, str] = {}
    for name in names:
        for part in parts_of(name):
            found.setdefault(part, name)
    return found


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    is_capital: bool  # begins so, as it was written


def names(text: str, written: str, known: Mapping[str, str], keep: frozenset[str]) -> Iterator[Span]:
    """All of them.

    Args:
        written: the text's characters as they were written, place for place: a capital marks a name.
        known: whose part a word is.
        keep: words that are no names.
    """
    words = _words(text, written, 0, len(text))
    starts = {word.start: place for place, word in enumerate(words)}
    lex = lexicon()
    yield from _known(text, words, known, keep, lex)
    for cue, strength in _CUES:
        for match in cue.finditer(text):
            place = starts.get(match.end())
            if place is not None:
                yield from _name_at(text, words, place, keep, lex, strength)
    for match in _BEFORE_KIN.finditer(text):
        yield from _name_at(text, words, starts[match.start()], keep, lex, 2)
    for match in _INITIAL.finditer(written):
        place = starts.get(match.end())
        if place is not None and words[place].text not in lex.places:
            yield from _name_at(text, words, place, keep, lex, 2)
    for place, word in enumerate(words):
        if word.is_capital and word.text not in lex.given and _is_before_surname(_next(text, words, place), lex):
            yield from _name_at(text, words, place, keep, lex, 2)
        if word.text not in lex.given or (place and words[place - 1].text in lex.places):
            continue
        if word.text not in lex.also_words or _is_full(word, _next(text, words, place), lex):
            yield from _name_at(text, words, place, keep, lex, 3)


def _is_before_surname(following: _Word | None, lex: _Lexicon) -> bool:
    """Whether a word is followed by what is a surname and nothing else."""
    return (
        following is not None
        and following.is_capital
        and following.text in lex.surnames
        and following.text not in lex.also_words
        and following.text not in lex.ordinary
    )


def _is_full(word: _Word, following: _Word | None, lex: _Lexicon) -> bool:
    """Whether a given name that is a word too stands before another name."""
    if following is None or following.text not in lex.given | lex.surnames:
        return False
    return following.text not in lex.also_words | lex.ordinary or (word.is_capital and following.is_capital)


def answers(text: str, written: str, keep: frozenset[str]) -> Iterator[Span]:
    """Names in an answer to somebody who asked for one: the words that are nothing else, up to five of a message."""
    lex = lexicon()
    for line in re.finditer(r"[^\n]+", text):
        words = _words(text, written, *line.span())
        unknown = [
            w
            for w in words
            if len(w.text) > 1
            and w.text not in lex.ordinary | _PARTICLES | keep
            and (w.text in lex.given | lex.surnames or not _is_form_of_a_word(w.text))
        ]
        if unknown and (len(words) <= 8 or len(unknown) <= 4):
            for word in unknown[:5]:
                yield Span(word.start, word.end, "PERSONA", word.text)


def _words(text: str, written: str, start: int, end: int) -> list[_Word]:
    return [
        _Word(one.start(), one.end(), one[0], written[one.start()].isupper())
        for one in _WORD.finditer(text, start, end)
    ]


def _known(
    text: str, words: Sequence[_Word], known: Mapping[str, str], keep: frozenset[str], lex: _Lexicon
) -> Iterator[Span]:
    for place, word in enumerate(words):
        name = known.get(word.text)
        if name is None or word.text in keep:
            continue
        if (
            word.text in lex.ordinary | lex.also_words
            and len(word.text) < 4
            and not (word.is_capital or _is_beside_part(words, place, known, name))
        ):
            continue
        if word.text == "paz" and _SALVO.match(text, word.end):
            continue
        yield Span(word.start, word.end, "PERSONA", name)


def _is_beside_part(words: Sequence[_Word], place: int, known: Mapping[str, str], name: str) -> bool:
    return any(
        known.get(words[near].text) == name and words[near].text != words[place].text
        for near in (place - 1, place + 1)
        if 0 <= near < len(words)
    )


def _name_at(
    text: str, words: Sequence[_Word], place: int, keep: frozenset[str], lex: _Lexicon, strength: int
) -> Iterator[Span]:
    """The name that begins with a word, if it is one; `strength` says how sure a name has to come there."""
    first = words[place]
    if not _may_begin(text, first, keep, lex, strength):
        return
    end, at = first.end, place
    for _ in range(6):
        following = _next(text, words, at)
        if following is None:
            break
        at += 1
        if following.text in _PARTICLES:
            continue
        if not _goes_on(first, following, keep, lex, is_cued=strength > 1):
            break
        end = following.end
    yield Span(first.start, end, "PERSONA", text[first.start : end])


def _may_begin(text: str, word: _Word, keep: frozenset[str], lex: _Lexicon, strength: int) -> bool:
    if word.text in keep or len(word.text) < 2 or word.text in _PARTICLES:
        return False
    if word.text in lex.given and (strength == 3 or word.text not in lex.also_words):
        return True
    if word.text in lex.ordinary or len(word.text) < 3:
        return False
    if word.text in lex.surnames and ((strength > 1 and word.text not in lex.also_words) or word.is_capital):
        return True
    if strength == 3 or (strength == 2 and (word.is_capital or _ENDS.match(text, word.end))):
        return word.is_capital or not _is_form_of_a_word(word.text)
    return False


def _goes_on(first: _Word, word: _Word, keep: frozenset[str], lex: _Lexicon, *, is_cued: bool) -> bool:
    if word.text in keep or len(word.text) < 2:
        return False
    if word.text in lex.surnames | lex.given:
        return word.text not in lex.ordinary or (first.is_capital and word.is_capital)
    if word.text in lex.ordinary:
        return False
    return first.is_capital and word.is_capital and is_cued


def _next(text: str, words: Sequence[_Word], place: int) -> _Word | None:
    if place + 1 >= len(words) or not re.fullmatch(r"[\s.\-_'’]{1,3}", text[words[place].end : words[place + 1].start]):
        return None
    return words[place + 1]


_BEFORE_KIN = re.compile(rf"(?<![a-z])[a-z]{{3,20}}(?=,?\s(?:mi|su)\s(?:{_KIN})(?![a-z]))")
_INITIAL = re.compile(r"(?<![A-Za-z.])[A-Z]\.\s?(?=[A-ZÀ-Ý][a-zà-ÿ]{2})")  # J. Errázuriz
_ENDS = re.compile(r"\s?(?:[,.\n]|$)")
_FORM = re.compile(
    r".*(?:cion|ciones|mente|ando|iendo|aron|ieron|amos|emos|imos|aban?|aria|arian|eria|arme|arle|erle|irle|arlo|"
    r"arla|dad|dades|miento|mientos|able|ible|ado|ada|ados|adas|ido|idos|idas|ista|ario|ante|ente|aje|isimo|isima|"
    r"ing|tion|ed|ly)"
)


def _is_form_of_a_word(word: str) -> bool:
    return len(word) > 5 and bool(_FORM.fullmatch(word))
