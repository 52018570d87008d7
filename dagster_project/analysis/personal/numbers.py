"""Numbers of persons in a plain text: phones, documents, accounts, cards, codes; in digits, in words, in pieces.

A run of seven digits is one, whatever stands between them, unless it is a date, a time, an amount of money, a measure
or a case of ours. After a word such as "cédula", or as the answer to a question for one, a shorter one is one too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dagster_project.analysis.personal.spans import Span

MIN_DIGITS = 7  # of a number that nothing announces
MIN_NEAR = 4  # of one that a word in its sentence announces
REGIONS = ("CO", "VE", "EC", "PE", "PA", "BR", "MX", "ES", "AR", "CL")  # they only tell a phone from another number

_ONES = "cero uno una dos tres cuatro cinco seis siete ocho nueve zero one two three four five six seven eight nine oh"
_TEENS = (
    "diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintiun veintidos "
    "veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve ten eleven twelve"
)
_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_HUNDREDS = (
    "cien ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_DIGITS_OF = {
    **dict.fromkeys(_ONES.split(), 1),
    **dict.fromkeys(_TEENS.split(), 2),
    **dict.fromkeys(_TENS.split(), 2),
    **dict.fromkeys(_HUNDREDS.split(), 3),
    "mil": 0,
    "millon": 0,
    "millones": 0,
}
_VALUES = {word: str(number % 10) for number, word in enumerate(w for w in _ONES.split() if w not in {"una", "oh"})}
_TIMES = {"doble": 2, "triple": 3, "double": 2}
_ANY_WORD = "|".join(sorted(_DIGITS_OF, key=len, reverse=True))
NUMBER_WORD = rf"(?:{_ANY_WORD})"
_TOKEN = re.compile(
    rf"(?<![a-z\d])[\doil]++(?![a-z])|(?<![a-z])(?:(?:doble|triple|double)\s)?(?:{_ANY_WORD})(?![a-z])|\d+"
)
_WORDS = re.compile(rf"(?<![a-z])(?:{_ANY_WORD})[^a-z]{{1,6}}(?:y\s|{_ANY_WORD})")
_GAP = re.compile(r"[^a-z0-9]{0,6}|[^a-z0-9]{0,3}(?:guion|raya|espacio|punto|coma|y|dash)[^a-z0-9]{1,3}")
_AS_DIGITS = str.maketrans("oil", "011")

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d{2}"
_MONTHS = (
    r"(?:ene(?:ro)?|feb(?:rero)?|mar(?:zo)?|abr(?:il)?|may(?:o)?|jun(?:io)?|jul(?:io)?|ago(?:sto)?|sep(?:tiembre)?"
    r"|set(?:iembre)?|oct(?:ubre)?|nov(?:iembre)?|dic(?:iembre)?)\b"
)
_CLOCK = r"(?:[01]?\d|2[0-3])\s?[:h]\s?[0-5]\d(?:[:.][0-5]\d(?:[.,]\d{1,6})?)?(?!\d)z?"
_DATE = (
    rf"(?:{_DAY}\s?(?P<sep>[/.\-])\s?{_MONTH}\s?(?P=sep)\s?(?:{_YEAR}|\d{{2}})"
    rf"|{_MONTH}(?P<sep2>[/\-]){_DAY}(?P=sep2)(?:{_YEAR}|\d{{2}})|{_YEAR}(?P<sep3>[/.\-]){_MONTH}(?P=sep3){_DAY})"
)
_SPOKEN_DATE = rf"{_DAY}\s?(?:de\s|/|-|\s)\s?{_MONTHS}\.?(?:\s?(?:de|del|/|-|,)?\s?(?:{_YEAR}|\d{{2}}))?"
_GROUPED = r"\d{1,3}(?:(?P<g>[.,'])\d{3})(?:[.,']\d{3}){0,3}(?:[.,]\d{1,2})?"
_PLAIN_AMOUNT = r"(?:\d{1,9}|\d{7,9}000)(?:[.,]\d{1,2})?"
_AMOUNT = rf"(?:{_GROUPED}|{_PLAIN_AMOUNT})(?![\d])"
_CURRENCY = r"(?:\$|€|£|\b(?:us\$?|usd|cop|mxn|eur|clp|ars|pen|uyu|s/\.?|bs\.?|q)(?![a-z]))"
_UNIT = (
    r"(?:pesos|cop|usd|dolares|euros?|eur|€|\$|mil|millon(?:es)?|mll?s?|mm|m2|mts?2?|m²|metros|hectareas|has?|kms?|%"
    r"|por ciento|uvt|smmlv|smlv|salarios|soles|mxn|clp|bolivares)(?![a-z])"
)
_MONEY = (
    r"\b(?:valor(?:es)?|precio|cuotas?|pag\w{1,6}|abon\w{1,4}|saldo|total(?:es)?|cost\w{1,4}|vale|valen|cuesta|"
    r"cuestan|inicial|deb\w{1,3}"
    r"|presupuesto|falt\w{1,4}|rest[ao]\w{0,2}|qued\w{1,3}|monto|arriendo|canon|separ\w{2,6}|ahorr\w{1,4}|"
    r"subsidio|ingresos?|gan\w{1,4}|prestamo|credito"
    r"|rebaj\w{1,4}|descuento|deposit\w{1,4}|oferta|ofrezco)\b[^\d\n]{0,18}"
)
_HARMLESS = [
    re.compile(pattern)
    for pattern in (
        rf"(?<![\d/.\-]){_DATE}(?:[t\s]{{1,2}}{_CLOCK})?(?![\d])(?![/.\-]\d)",
        rf"(?<![\d:.]){_CLOCK}(?![:\d])",
        rf"(?<!\d)(?<!\d[.,]){_YEAR}\s?(?:-|/|a|al|y)\s?{_YEAR}(?![\d])(?![.\-/\s]{{1,2}}\d)",
        rf"(?<!\d){_SPOKEN_DATE}(?!\d)",
        rf"{_CURRENCY}\s{{0,2}}{_AMOUNT}(?![.\-]\d)",
        rf"(?<![\d.,\-+]){_AMOUNT}\s{{0,2}}{_UNIT}",
        # Round, or said to be money.
        r"(?<![\d.,'\-+])(?:\d{1,3}(?:[.,']\d{3}){0,3}[.,']000(?:[.,]\d{1,2})?)(?![\d.,'\-][\dk])(?!\d)",
        rf"(?P<before>{_MONEY})(?:{_GROUPED}|\d{{1,8}}000(?:[.,]\d{{1,2}})?)(?!\d)(?![.\-]\d)",
        r"\b(?:radicados?|caso|ticket|pqrs?|pedido|factura|case|order)\b[^\da-z\n]{0,4}(?:(?:n|no|nro|num|numero|id)\b"
        r"[^\da-z\n]{0,4})?[a-z]{0,4}-?\d{2,8}(?:-\d{1,6})?(?![\d])",
    )
]


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    digits: int  # how many it stands for
    text: str  # the digits, "?" for one that is not worked out
    is_word: bool


def numbers(text: str) -> Iterator[Span]:
    """All that are long enough to be somebody's."""
    for group in _groups(without_harmless(text)):
        if _count(group) >= MIN_DIGITS and not _is_amount_in_words(group):
            yield _span(text, group)


def after_cues(text: str) -> Iterator[Span]:
    """Those that a word announces, short ones too: right after it, in its sentence, or before "es mi cédula"."""
    near: list[list[_Token]] | None = None
    calm: list[list[_Token]] = []
    for kind, minimum, cue in _CUES:
        for match in cue.finditer(text):
            if near is None:
                near, calm = list(_groups(text)), list(_groups(without_harmless(text)))
            start, sentence = match.end(), _SENTENCE_REST.match(text, match.end())
            for group in near:
                tail = [token for token in group if token.start >= start]
                if tail and tail[0].start - start <= 1 and _count(tail) >= minimum:
                    yield _span(text, tail, kind)
            end = sentence.end() if sentence else start
            for group in calm if kind != "TEL" else ():
                if start <= group[0].start < end and _count(group) >= max(minimum, MIN_NEAR) and not _is_year(group):
                    yield _span(text, group, kind)
            before = _ANNOUNCED_LATER.search(text, max(0, match.start() - 30), match.start())
            for group in calm if before else ():
                if before and 0 <= before.start() - group[-1].end <= 2 and _count(group) >= minimum:
                    yield _span(text, group, kind)
    for match in _BIRTHDAY.finditer(text):
        yield Span(match.start("value"), match.end("value"), "FECHA", match["value"])
    for match in _ANY_DATE.finditer(text):
        if _LONG_AGO.search(match[0]):
            yield Span(match.start(), match.end(), "FECHA", match[0])
    for match in _RECEIVED.finditer(text):
        yield Span(match.start("value"), match.end("value"), "CLAVE", match["value"])


def answers(text: str) -> Iterator[Span]:
    """Those in an answer to somebody who asked for one: any of three digits, in a message of digits alone any."""
    for line in re.finditer(r"[^\n]+", text):
        only = not re.search(r"[a-z]", _TOKEN.sub("", line[0]))
        for group in _groups(_without_money(line[0])):
            if _count(group) >= (1 if only else 3):
                yield _span(
                    text,
                    [_Token(t.start + line.start(), t.end + line.start(), t.digits, t.text, t.is_word) for t in group],
                )
    for match in re.finditer(r"(?<![\w-])(?=[\w-]{0,30}\d)[a-z\d][\w-]{2,30}(?![\w-])", text):
        yield Span(match.start(), match.end(), "NUMERO", match[0])


def birthdays(text: str) -> Iterator[Span]:
    """Dates in an answer to somebody who asked for a date of birth."""
    for pattern in (_ANY_DATE, _BARE_DATE):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), "FECHA", match[0])


def digits_of(text: str) -> str:
    """All digits of a text in their order, those in words too, whatever stands between them."""
    return "".join(token.text for token in _tokens(text))


def left_over(text: str) -> bool:
    """Whether a run of digits is left that nothing explains, however far apart they stand."""
    masked = without_harmless(text)
    return bool(re.search(r"\d{7}", re.sub(r"[^a-z0-9]+", "", masked)))


def has_words(text: str) -> bool:
    """Whether a number may stand there in words."""
    return bool(_WORDS.search(text))


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        said = match[0]
        if said[-1].isdigit() or (said[0] in "0123456789oil" and any(map(str.isdigit, said))):
            yield _Token(match.start(), match.end(), len(said), said.translate(_AS_DIGITS), False)
            continue
        times, _, word = said.rpartition(" ")
        if word in _DIGITS_OF:
            count = _DIGITS_OF[word] * _TIMES.get(times.strip(), 1)
            yield _Token(
                match.start(),
                match.end(),
                count,
                _VALUES.get(word, "?" * _DIGITS_OF[word]) * (_TIMES.get(times.strip(), 1)),
                True,
            )


def _groups(text: str) -> Iterator[list[_Token]]:
    """Tokens that stand together."""
    group: list[_Token] = []
    for token in _tokens(text):
        if group and not _GAP.fullmatch(text, group[-1].end, token.start):
            yield group
            group = []
        group.append(token)
    if group:
        yield group


def _count(group: list[_Token]) -> int:
    """Digits of a group; "treinta y seis" are two, "quinientos cincuenta" three."""
    total, room = 0, 0
    for token in group:
        if token.is_word and token.digits < room:
            room = token.digits if token.digits > 1 else 0
            continue
        total += token.digits
        room = token.digits if token.is_word and token.text.startswith("?") and token.digits > 1 else 0
    return total


def _is_year(group: list[_Token]) -> bool:
    return len(group) == 1 and bool(re.fullmatch(_YEAR, group[0].text))


def _is_amount_in_words(group: list[_Token]) -> bool:
    has_thousands = any(token.is_word and token.digits == 0 for token in group)
    return has_thousands and all(token.is_word for token in group) and (len(group) < 6 or group[-1].digits == 0)


def _span(text: str, group: list[_Token], kind: str | None = None) -> Span:
    digits = "".join(token.text for token in group)
    start, end = group[0].start, group[-1].end
    if text[max(0, start - 2) : start].endswith(("+", "(+")):
        start = text.rfind("+", 0, start)
    return Span(start, end, kind or _kind(digits), digits)


@lru_cache(maxsize=4096)
def _kind(digits: str) -> str:
    """What a number is by its check digit or its length; the placeholder says it, nothing hangs on it."""
    import phonenumbers  # noqa: PLC0415  a tenth of a second, and only who redacts needs it
    from stdnum import luhn  # noqa: PLC0415

    if not digits.isdecimal():
        return "NUMERO"
    if 13 <= len(digits) <= 19 and luhn.is_valid(digits):
        return "TARJETA"
    for region in REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return "TEL"
        except phonenumbers.NumberParseException:
            break
    return "NUMERO"


@lru_cache(maxsize=4)  # a text is asked for by one look after the other
def without_harmless(text: str) -> str:
    """The text with letters in place of dates, times, amounts, measures and cases."""
    for pattern in _HARMLESS:
        text = pattern.sub(_masked, text)
    return text


def _without_money(text: str) -> str:
    return _HARMLESS[4].sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    before = match.groupdict().get("before") or ""
    return before + "z" * (len(match[0]) - len(before))


_BETWEEN = (
    r"(?:[\W_]|\b(?:es|son|seria|la|el|lo|mi|su|este|esta|esto|siguiente|numeros?|num|nro|no|n|nr|con|de|del|al?|"
    r"ciudadania|extranjeria|identidad"
    r"|identificacion|en|termina|terminad[oa]|acaba|empieza|ahorros?|corriente|bancaria|bancolombia|davivienda|"
    r"bbva|nequi|daviplata|bogota|banco"
    r"|santander|clabe|interbancaria|cci|mia|mio|personal|celular|contacto|whatsapp|verificacion|seguridad|acceso|"
    r"confirmacion|ingreso|activacion"
    r"|que|me|llego|enviaron|mandaron|dieron|salio|is|my|number|postal|inmobiliaria|nuevo|nueva|titular|cliente|"
    r"debito|tarjeta|visa|mastercard|por|favor|sr|sra|y)\b)*+"
)
_CUES = [
    (kind, minimum, re.compile(rf"(?<![a-z])(?:{cue})(?![a-z]){_BETWEEN}"))
    for kind, minimum, cue in (
        ("NIT", 4, r"nit|n\.i\.t\.?|rut|r\.u\.t\.?|run|ruc|cuit|cuil|rfc|cif|cnpj"),
        (
            "CEDULA",
            4,
            r"cedulas?|cedu|sedula|documentos?(?: de identidad)?|identificacion|identificad[oa]|dni|"
            r"nie|nif|curp|ine|nss|cpf|ci|pasaportes?|passport"
            r"|doc(?: de)? identidad|tarjeta de identidad|matricula mercantil|carn?et|id number",
        ),
        ("CEDULA", 5, r"c\.?\s?[ce]\.?|ti|t\.i\.?|ppt|pep|p\.p\.t\.?"),
        (
            "TEL",
            4,
            r"cel(?:u|ular(?:es)?)?|tel(?:efonos?|f|fono)?|tlf|movil|whats?app|wasap|wsp|wpp|fijo|"
            r"llam\w{2,6} al|marc\w{2,6} al|phone|mobile",
        ),
        ("CUENTA", 4, r"(?<!estado de )(?<!estados de )cuentas?(?! con\b)|cta|iban|clabe|cbu|cvu|account"),
        ("TARJETA", 4, r"tarjetas?(?: de (?:credito|debito))?|tdc|visa|mastercard|amex|card"),
        ("MATRICULA", 3, r"matriculas?|folio(?: de matricula)?|chip|cedula catastral|referencia catastral"),
        (
            "CLAVE",
            3,
            r"claves?|contrasena|password|passcode|pin|nip|otp|token|cvv2?|cvc|ccv|codigos?"
            r"(?! del? (?:apartamento|apto|lote|inmueble|proyecto|casa|torre|unidad)| de error)"
            r"|verification code|code is",
        ),
        ("PLACA", 2, r"placas?|plates?"),
    )
]
_SENTENCE_REST = re.compile(r"[^\n.;?!]{0,30}")
_ANNOUNCED_LATER = re.compile(r"\s?(?:(?:es|era|fue|como|que es|seria)\s)(?:(?:mi|el|la|su|tu|de|numero)\s){0,3}$")
_RECEIVED = re.compile(
    r"(?<!\d)(?P<value>\d{3,4}[\s-]?\d{0,4})\s(?:(?:es|fue|era)\s)?(?:el\s|lo\s)?(?:que\s)?(?:me|nos|le) (?:llego|"
    r"enviaron|mandaron|salio|aparece|dieron)"
)
_ANY_DATE = re.compile(rf"(?<!\d)(?:{_DATE}|{_SPOKEN_DATE})(?!\d)")
_BARE_DATE = re.compile(r"(?<!\d)\d{2}\s?\d{2}\s?\d{2}(?:\d{2})?(?!\d)")  # 140386
_LONG_AGO = re.compile(r"^(?:19\d\d|200\d)[/.\-]|\d.*[^\d](?:19\d\d|200\d|[3-9]\d)$")  # a date of birth, most likely
_BIRTHDAY = re.compile(
    rf"\b(?:nacimiento|naci|nacio|nacid[oa]|cumpl[eo][a-z]*|f\.? ?nac\.?|born|birth(?:day)?|dob)"
    rf"\b[^\d\n]{{0,30}}(?P<value>{_DATE.replace('sep', 'bsep')}|{_SPOKEN_DATE}|{_YEAR})(?!\d)"
)
