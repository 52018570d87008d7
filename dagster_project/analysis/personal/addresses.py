"""Addresses of every kind in a plain text: e-mail, links, streets."""

import re
from collections.abc import Iterator

from dagster_project.analysis.personal.numbers import NUMBER_WORD
from dagster_project.analysis.personal.spans import Span

_PROVIDER = r"(?:gmail|gmil|gmal|hotmail|hotmial|outlook|yahoo|icloud|live|msn|proton(?:mail)?|une|aol|correo|mail)"
_TOP = r"(?:com|co|net|org|es|mx|edu|gov|gob|cl|pe|ar|ec|ve|info|io|test|example)(?![a-z])"
_AT = re.compile(
    r"\s?(?:@|%40|\barrob+a\b|[(\[{<]\s?(?:at|arroba|a)\s?[)\]}>]"
    rf"|\b(?:at|en)\b(?=\s(?:{_PROVIDER}(?![a-z])|[\w-]+\s(?:dot|punto)\s)))\s?"
)
_DOT = rf"(?:\.|\s?[.,·]\s?(?={_TOP})|\s?[(\[]?\b(?:punto|dot|pto)\b[)\]]?\s?)"
_DOMAIN = re.compile(
    rf"\s{{0,3}}(?:[a-z\d_-]{{1,63}}(?:{_DOT}[a-z\d-]{{2,24}}){{1,3}}"
    rf"|(?:[a-z]\s){{2,12}}[a-z]\s?\.\s?[a-z]\s?[a-z](?:\s?[a-z])?(?![a-z])|{_PROVIDER}(?![a-z])|en "
    rf"{_PROVIDER}(?![a-z]))"
)
_JOINED = (
    r"(?:[a-z\d_.+%-]++|\s?\b(?:punto|dot|guion bajo|guion|raya al piso|raya|underscore|underline|mas|todo junto)\b\s?)"
)
_LOCAL = re.compile(
    rf"(?:(?:(?:[a-z\d]\s){{2,40}}[a-z\d]?)|{_JOINED}{{1,8}}+|[a-z\d_-]+\s?[._-]\s?[a-z\d_.-]+)\s{{0,3}}$"
)
MAX_ANSWER = 30  # words of an answer to somebody who asked for an address
_LOOK_BACK = 80  # characters before the @
_PROVIDER_ALONE = re.compile(
    r"(?<![a-z\d._-])[a-z\d._-]{3,40}\s(?:gmail|hotmail|outlook|yahoo|icloud|live)(?:\s?\.\s?|\spunto\s)(?:com|"
    r"es|co)(?![a-z])"
)
_URL = re.compile(
    r"(?P<scheme>(?:https?|ftp|wa|tg)\s?:\s?/\s?/\s?)(?P<rest>\S+)|(?<![\w@.])(?P<host>(?:www\.)"
    r"?(?:[a-z\d-]{1,63}\.){1,4}"
    r"(?:com|co|net|org|mx|es|cl|pe|ar|io|me|app|ly|gl|gle|us|info|biz|dev|test|example|gov|edu|link|page|site|"
    r"online|do|be|tv|to))"
    r"(?P<path>[/?#:]\S*)"
)
_HOST = re.compile(r"[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63})+")
_FILE = re.compile(
    r"(?<![\w/])[\w()+.~-]{1,120}\.(?:pdf|jpe?g|png|gif|webp|heic|docx?|xlsx?|pptx?|csv|txt|zip|rar|mp[34]|ogg|"
    r"opus|mov|vcf)(?![\w/])"
)
_CAPTION_FILE = re.compile(
    r"^\[(?:archivo|imagen|audio|video|otro)\]\s?(?P<value>[^\n]{1,200}\.(?:pdf|jpe?g|png|gif|webp|heic|docx?|"
    r"xlsx?|pptx?|csv|txt|zip|rar|mp[34]|ogg|opus|mov|vcf))\s?$",
    re.MULTILINE,
)

_STREET = (
    r"(?<![a-z])(?:calle|cll|cl|ac|ak|carrera|carr|cra|kra|krr|kr|cr|avenida|ave|av|avda|diagonal|diag|dg|transversal|"
    r"transv|tv|trans|circular|autopista|autop"
    r"|via|c/|calzada|paseo|jiron|jr|pasaje|psje|pje|privada|priv|cerrada|andador|prolongacion|prol|boulevard|"
    r"blvd|bulevar|camino|plaza|pza|ronda|rambla|travesia|alameda|callejon|malecon|street|st)(?![a-z])\.?"
)
_SIDE = r"(?:\s?(?:bis|sur|norte|este|oeste|oriente|occidente|poniente|[a-h])(?![a-z]))"
_MARK = r"\s?(?:#|n[°o.]{0,2}(?![a-z])|nro\.?|num\.?|numero|no\.|con|-|,|x|y|por|esquina)?\s?"
_UNITS = (
    r"(?:[\s,.\-]{0,3}(?:apto|apartamento|apt|ap|depto|dpto|dto|departamento|torre|interior|int|casa|piso|bloque|"
    r"blq|manzana|mz|mza|lote|lt|oficina|of|ofc|local|edificio|edif"
    r"|ed|conjunto|unidad|etapa|puerta|pta|esc|escalera|portal|planta|barrio|urb|urbanizacion)(?![a-z])"
    r"[\s.:#°]{0,3}(?:[a-z]{0,2}\s?\d{1,5}\s?[a-z]?|[a-z]{1,2}(?![a-z])|\d{1,2}°?\s?[a-z]?)(?![a-z\d])){0,5}"
)
_POSTAL = r"(?:c\.?\s?p\.?|codigo postal|zip(?: code)?)[\s:#]{0,3}\d{4,6}"
_STREETS = [
    re.compile(pattern)
    for pattern in (
        # Carrera 7 # 72-21, calle 26 sur No. 78H-12 apto 302
        rf"{_STREET}\s{{0,2}}\d{{1,3}}{_SIDE}{{0,3}}(?:{_MARK}\d{{1,4}}{_SIDE}{{0,3}})(?:\s?(?:-|–|/|,|guion|con|y)"
        rf"?\s?\d{{1,3}}(?!\d)){{0,2}}{_UNITS}",
        # C/ Mayor 5, 3° B; av. Insurgentes Sur 1602
        rf"{_STREET}\s{{0,2}}(?!\d|principal\b|y\b|a\b|es\b|en\b)(?:(?:de|la|las|los|del|el|san|santa|don|dr|gral|"
        rf"general)\s){{0,3}}[a-z]{{3,20}}(?:\s[a-z]{{2,20}}){{0,4}}?,?\s?"
        rf"(?:n[°o.]{{0,2}}|num\.?|numero|#|no\.)?\s?(?<!\sa\s)\d{{1,5}}(?![\d.,]\d|\s?(?:min|minutos|km|metros|mts|"
        rf"m2|cuadras|horas|hrs|pisos|mil|millones|personas|dias|%))[a-z]?{_UNITS}(?:,?\s?\d{{1,2}}\s?°\s?[a-z]?)?",
        rf"(?:,\s?)?\b{_POSTAL}",
        rf"(?<![a-z])(?:col|colonia|fracc|fraccionamiento|urb|urbanizacion|vereda|corregimiento)(?:\.|\s|:)"
        rf"\s?[a-z]{{2,20}}(?:\s[a-z]{{2,20}}){{0,3}}?(?=\s?(?:,|\.|\n|$|\d|c\.?p))(?:,?\s?{_POSTAL})"
        rf"?(?:\s?\d{{1,5}}(?!\d))?",
        # 15 # 93-60
        rf"(?<![a-z\d])\d{{1,3}}\s?[a-h]?{_SIDE}{{0,2}}\s?(?:#|n°|no\.)"
        rf"\s?\d{{1,3}}\s?[a-h]?{_SIDE}{{0,2}}\s?-\s?\d{{1,3}}(?!\d)",
        # Calle ochenta número veinticuatro quince; Hidalgo 77, interior 3
        rf"{_STREET}\s(?:(?:{NUMBER_WORD}|y|numero|numeral|con|sur|norte|este|bis|guion|raya|[a-d]|\d{{1,3}})"
        rf"[\s,#-]{{1,3}}){{2,10}}(?:{NUMBER_WORD}|\d{{1,3}})(?![a-z\d])",
        r"(?<![a-z])(?!(?:torre|piso|lote|casa|etapa|bloque|manzana|mza|local|apto|apartamento|hasta|desde|son|por|"
        r"del|los|las|con|cuota)\b)[a-z]{3,20}\s\d{1,4},?\s(?:interior|int|piso|depto|puerta|escalera|esc|portal|"
        r"bajo|izquierda|derecha|izq|dcha|\d{1,2}\s?°)(?![a-z])[\s.:#°]{0,3}(?:\d{1,4}[a-z]?)?",
        # Mz. K Lt. 14, as addresses have it in Peru
        r"(?<![a-z])mz\.?\s?[a-z\d]{1,3}[\s,.-]{1,3}lt\.?\s?\d{1,3}[a-z]?(?![a-z\d])",
        # Manzana B casa 14: where somebody lives, not what he buys.
        r"(?<![a-z])(?:manzana|mz|mza)\.?\s?[a-z\d]{1,3}[\s,#]{1,3}casa\s?#?\s?\d{1,4}[a-z]?",
    )
]
_HOME = re.compile(
    r"(?<![a-z])(?:(?:vivo|vive|vivimos|resido|reside|residimos|residente|residencia(?:do)?|domicili\w{1,6})"
    r"\s(?:en|es|:)|(?:mi|su|la|nuestra) (?:direccion|casa|residencia) (?:es|queda en)|direccion(?: de \w{1,20})"
    r"?\s?[:=]|domicilio\s?[:=]"
    r"|(?:me ubico|estoy ubicad[oa]|ubicad[oa]) en|i live (?:at|in|on)|address(?: is|:))"
    r"(?P<value>[^\n.;?!]{0,100}(?:\.\s?\d[^\n.;?!]{0,30})?)"
)
_UP_TO_NUMBER = re.compile(r".*\d\s?(?:[a-z](?![a-z]))?|", re.DOTALL)


def mails(text: str) -> Iterator[Span]:
    """E-mail addresses, dictated ones and spaced ones too."""
    yield from _without_at(text)
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        local = _LOCAL.search(text[max(0, at.start() - _LOOK_BACK) : at.start()])
        if domain and local:
            end = domain.end()
            start = at.start() - len(local[0].lstrip())
            yield Span(start, end, "EMAIL", re.sub(r"\s", "", text[start:end]))


def has_at(text: str) -> bool:
    """Whether an e-mail address may stand there."""
    return "@" in text or "mail" in text or "arrob" in text or "%40" in text or "at" in text


def answers(text: str) -> Iterator[Span]:
    """An answer to somebody who asked for an address: each message that has a number in it, or is short."""
    for match in re.finditer(r"[^\n]+", text):
        said = _UP_TO_NUMBER.match(match[0])
        words = len(match[0].split())
        if said and said[0] and words <= MAX_ANSWER:
            yield Span(match.start(), match.start() + len(said[0]), "DIRECCION", said[0].strip())
        elif 2 <= words <= 8 and re.search(
            r"\b(?:barrio|vereda|conjunto|urbanizacion|edificio|torres?|calle|carrera|km|via|sector|colonia)\b",
            match[0],
        ):
            yield Span(match.start(), match.end(), "DIRECCION", match[0].strip())


def _without_at(text: str) -> Iterator[Span]:
    for match in _PROVIDER_ALONE.finditer(text):
        yield Span(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", match[0]))


def links(text: str) -> Iterator[Span]:
    """What a link says beyond its host: user, password, port, path and query."""
    for match in _URL.finditer(text):
        if match["scheme"] is None:
            if len(match["path"].strip("/.,)!?:")):
                yield Span(match.start("path"), match.end(), "ENLACE", match["path"])
            continue
        rest = match["rest"]
        authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
        user, at, host_port = authority.rpartition("@")
        start = match.start("rest")
        if at:
            yield Span(start, start + len(user) + 1, "ENLACE", user)
        host = _HOST.match(host_port)
        host_end = start + len(user) + len(at) + (len(host[0]) if host else 0)
        if len(text[host_end : match.end()].strip("/.,)!?\"'>")):
            yield Span(host_end, match.end(), "ENLACE", text[host_end : match.end()])


def files(text: str) -> Iterator[Span]:
    """Names of files: they are called after persons and documents."""
    for match in _CAPTION_FILE.finditer(text):
        yield Span(match.start("value"), match.end("value"), "ARCHIVO", match["value"])
    for match in _FILE.finditer(text):
        yield Span(match.start(), match.end(), "ARCHIVO", match[0])


def streets(text: str) -> Iterator[Span]:
    """Where somebody lives, or a street with its number."""
    for pattern in _STREETS:
        for match in pattern.finditer(text):
            if not match[0].startswith(("urb", "vereda")) or any(map(str.isdigit, match[0])):
                yield Span(match.start(), match.end(), "DIRECCION", re.sub(r"\W", "", match[0]))
    for match in _HOME.finditer(text):
        said = _UP_TO_NUMBER.match(match["value"])
        if said and said[0].strip():
            start = match.end("value") - len(match["value"].lstrip())
            yield Span(start, match.start("value") + len(said[0]), "DIRECCION", said[0].strip())
