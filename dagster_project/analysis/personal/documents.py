"""Documents, plates and secrets that are letters and digits together, in a plain text."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from dagster_project.analysis.personal.spans import Span

_NO_PLATE = (
    r"(?:por|los|las|son|del|con|que|una|uno|mas|sus|mis|tus|hay|dos|tres|usd|cop|mxn|eur|clp|ars|pen|lot|mza|apt|"
    r"int|mil|sin|ver|hoy|dia|fue|the|for|and|you"
    r"|are|was|has|can|not|all|ps4|err|and|mts|cra|cll|kra|krr|dgn|trv|tvs|ave|ley|art|pag|ref|etc|ene|feb|mar|"
    r"abr|may|jun|jul|ago|sep|oct|nov|dic|ios|win|rtx|gtx|iva|bco"
    r"|nro|num|tel|cel|nit|rut|ext|ofc|ofi|cod|vis|sub|gas|luz|bus|via|km|exp|doc|pqr|tor|blq|zon|sec|etp|cto|std|"
    r"amd|cpu|xbox|mac|pro|max|plus|http|mp3|mp4|rdr|gta|nba|nfl|fax)"
)
_FORMS = [
    (kind, re.compile(rf"(?<![a-z\d])(?:{form})(?![a-z\d])"))
    for kind, form in (
        ("IBAN", r"[a-z]{2}\d{2}[\s\-]?[a-z\d]{4}(?:[\s\-]?(?=[a-z]{0,3}\d)[a-z\d]{4}){2,7}(?:[\s\-]?\d[a-z\d]{0,2})?"),
        ("CURP", r"[a-z]{4}[\s\-]?\d{6}[\s\-]?[hmx][a-z]{5}[\s\-]?[a-z\d]\d"),
        (
            "RFC",
            r"[a-z&]{3,4}(?:-?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|"
            r"\s\d{6}[\s\-](?=[a-z]{0,2}\d))(?:[\s\-]?[a-z\d]{3})?",
        ),
        (
            "CEDULA",
            r"[xyz][\s\-.]?\d{7}[\s\-.]?[a-z]|\d{1,2}\.?\d{3}\.?\d{3}-?[a-z]|"
            r"\d{1,2}\.?\d{3}\.?\d{3}-\d|[vejpg]-?\d{6,9}(?:-\d)?",
        ),
        ("PASAPORTE", r"(?!usd?\d|cop|mxn|eur|ars|clp|rd\d)[a-z]{1,3}-?\d{6,9}"),
        (
            "MATRICULA",
            r"\d{2,3}[a-z]?-\d{5,9}|\d{2,3}\s?[nsc]\s?-\s?\d{3,9}|\d{2}[nsc]\s?\d{5,9}|[a-z]{3}\d{4}[a-z]{4}",
        ),
        (
            "PLACA",
            rf"(?!{_NO_PLATE}-?\d)[a-z]{{3}}-?\d{{2}}[a-z\d]|\d{{4}}[\s\-]?(?![mp]ts|dls)[bcdfghjklmnprstvwxyz]{{3}}"
            r"|[a-z]{2}-?\d{3}-?[a-z]{2}|[a-z]{3}-\d{2,3}-[a-z\d]{1,2}|[bcdfghjklprstvwxyz]{4}[\s\-]?\d{2}",
        ),
    )
]
_IN_CAPITALS = re.compile(
    r"(?<![A-Za-z\d])(?:[A-Z]{3}[ \-]\d{2}(?:\d|[A-Z])|[A-Z]{2} \d{3} [A-Z]{2}|[A-Z]{1,2} \d{6,8})(?![A-Za-z\d])"
)
_NOT_IN_CAPITALS = re.compile(_NO_PLATE)
_AFTER_PLATE = re.compile(
    r"(?<![a-z])(?:placas?|plates?)(?![a-z])[\W_]*(?:(?:es|numero|la|de|del|mi|carro|moto|vehiculo|is)\b[\W_]*)"
    r"*+(?P<value>[a-z]{2,4}[\W_]{0,2}\d{2,4}[\W_]{0,2}[a-z]{0,3}|[a-z\d-]*\d[a-z\d-]*)"
)
_AFTER_DOCUMENT = re.compile(
    r"(?<![a-z])(?:pasaporte|passport|dni|nie|nif|cif|curp|rfc|rut|ine|cedula|documento|matricula|licencia|folio|"
    r"chip|c\.?c\.?)(?![a-z])"
    r"[\W_]*(?:(?:es|el|la|no|nro|numero|mi|de|inmobiliaria|electronica|conduccion|catastral)\b[\W_]*)"
    r"*+(?P<value>(?=[a-z\-./]{0,6}\d)[a-z\d][a-z\d\-./]{3,24}|[a-z]{1,4}\s\d{4,9})"
)
_SECRET_CUE = re.compile(
    r"(?<![a-z])(?P<cue>contrasena|contra|password|passwd|pass|pwd|clave|pin|token|api[ _-]?key|secret|secreto|"
    r"bearer|usuario|user|login)(?![a-z])"
    r"(?P<between>\s*(?:(?:de|del|de la|de mi|para)\s\w{2,15}\s?(?:\w{2,15}\s?)?(?=[:=]|es\b))?(?:[:=]|\b(?:es|is|"
    r"era|sera|pongo|puse|puso|uso|usa|tengo|coloque)\b)?\s*(?:(?:la|el|esta|siguiente)\b)?[\s:=\"'«“*]*)"
    r"(?P<value>[^\s]{3,})"
)
_SECRET_BEFORE = re.compile(
    r"(?<!\S)(?P<value>\S{4,40})\s(?:(?:que|esa|ese|esta)\s)?(?:es|era)\s(?:mi|la|el|su)\s(?:nueva\s|actual\s)"
    r"?(?:contrasena|clave|password|pin|token|usuario)(?![a-z])"
)
_SECRET_LATER = re.compile(  # clave del wifi al señor de internet: Toronja2019*
    r"(?<![a-z])(?:contrasena|contra|password|clave|pin)(?![a-z])[^\n.:=?\d]{1,60}[:=]\s*(?P<value>(?!https?:)[^\s]{5,40})"
)
_HANDLE = re.compile(
    r"(?<![a-z])(?:insta(?:gram)?|ig|tik ?tok|twitter|telegram|facebook|face|fb|snapchat|skype|discord|linkedin|"
    r"alias)"
    r"(?:[\s:,]|\b(?:es|soy|como|mi|el|la|usuario|user|is)\b)*+"
    r"(?P<value>[a-z\d](?=[a-z\d]*[._\d])[a-z\d._]{3,30}(?<!\.))"
)
_TOKENS = re.compile(r"(?<![a-z\d])[a-z\d][a-z\d_\-.~+/=]{9,}")
_KNOWN_TOKENS = re.compile(
    r"(?<![a-z\d])(?:sk|pk|rk|tok|key|ghp|gho|xox[abp]|akia|eyj|glpat|ya29|aiza|whsec)[_\-.]?[a-z\d_\-.]{6,}"
)


def documents(text: str, written: str, ordinary: frozenset[str]) -> Iterator[Span]:
    """All of them.

    Args:
        written: the text's characters as they were written, place for place, as capitals mark a plate.
        ordinary: words that follow "la clave es" without being a password.
    """
    for kind, form in _FORMS:
        for match in form.finditer(text):
            yield Span(match.start(), match.end(), _by_check_digit(match[0]) or kind, _bare(match[0]))
    for match in _IN_CAPITALS.finditer(written):
        if not _NOT_IN_CAPITALS.match(match[0].lower()):
            yield Span(match.start(), match.end(), "PLACA", _bare(match[0]))
    for pattern, kind in ((_AFTER_PLATE, "PLACA"), (_AFTER_DOCUMENT, "CEDULA")):
        for match in pattern.finditer(text):
            yield Span(match.start("value"), match.end("value"), kind, _bare(match["value"]))
    yield from secrets(text, ordinary)


def secrets(text: str, ordinary: frozenset[str]) -> Iterator[Span]:
    """Passwords after their word, and what looks like a token."""
    for match in _SECRET_CUE.finditer(text):
        value = match["value"].strip("\"'»”.,;!?()*")
        has_mark = any(character in match["between"] for character in ":=") or re.search(
            r"\b(?:es|is|era)\b", match["between"]
        )
        looks_so = any(not character.isalpha() for character in value)
        if (
            len(value) >= 3
            and ((has_mark and value not in ordinary) or (looks_so and any(map(str.isdigit, value))))
            and "[" not in value
        ):
            start = text.index(value, match.start("value"))
            yield Span(start, start + len(value), "CLAVE", value)
    for match in _SECRET_BEFORE.finditer(text):
        if not match["value"].strip(".,;!").isalpha():
            yield Span(match.start("value"), match.end("value"), "CLAVE", match["value"])
    for match in _SECRET_LATER.finditer(text):
        value = match["value"]
        if re.search(r"[a-z]", value) and re.search(r"\d|[^\w\s.,;]\S", value) and "[" not in match[0]:
            yield Span(match.start("value"), match.end("value"), "CLAVE", value)
    for match in _HANDLE.finditer(text):
        if not match["value"].isdigit():
            yield Span(match.start("value"), match.end("value"), "ENLACE", match["value"])
    for match in _KNOWN_TOKENS.finditer(text):
        if any(map(str.isdigit, match[0])):
            yield Span(match.start(), match.end(), "CLAVE", match[0])
    for match in _TOKENS.finditer(text):
        word = match[0].rstrip(".-/=")
        if sum(map(str.isdigit, word)) >= 2 and sum(map(str.isalpha, word)) >= 2 and _changes(word) >= 3:
            yield Span(match.start(), match.start() + len(word), "CLAVE", word)


def _changes(word: str) -> int:
    """How often it goes from letters to digits, or back."""
    kinds = [character.isdigit() for character in word if character.isalnum()]
    return sum(one != other for one, other in pairwise(kinds))


def _bare(value: str) -> str:
    return re.sub(r"[^a-z\d]", "", value.lower())


def _by_check_digit(value: str) -> str | None:
    """The kind by the number's own check digit; None where no kind's is right."""
    from stdnum import iban  # noqa: PLC0415  only who redacts needs them
    from stdnum.ar import cuit  # noqa: PLC0415
    from stdnum.br import cpf  # noqa: PLC0415
    from stdnum.cl import rut  # noqa: PLC0415
    from stdnum.co import nit  # noqa: PLC0415
    from stdnum.es import dni, nie  # noqa: PLC0415
    from stdnum.mx import curp, rfc  # noqa: PLC0415
    from stdnum.pe import ruc  # noqa: PLC0415

    checks: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("IBAN", iban.is_valid),
        ("CURP", curp.is_valid),
        ("RFC", rfc.is_valid),
        ("DNI", dni.is_valid),
        ("NIE", nie.is_valid),
        ("CUIT", cuit.is_valid),
        ("CPF", cpf.is_valid),
        ("RUT", rut.is_valid),
        ("RUC", ruc.is_valid),
        ("NIT", nit.is_valid),
    )
    return next((kind for kind, is_valid in checks if is_valid(value)), None)
