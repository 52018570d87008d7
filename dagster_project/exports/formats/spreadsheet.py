"""CSV for a spreadsheet: how an Excel of the reader's language expects its cells, and which texts it would change."""

from dagster_project.exports.i18n.language import Language

BOM = "\ufeff".encode()

DELIMITERS: dict[Language, str] = {"es": ";", "en": ","}
DECIMAL_SEPARATORS: dict[Language, str] = {"es": ",", "en": "."}

_MONTHS = (
    "(?:enero|ene|january|jan|febrero|february|feb|marzo|march|mar|abril|abr|april|apr|mayo|may|junio|june|jun|julio"
    "|july|jul|agosto|ago|august|aug|septiembre|setiembre|september|sept?|set|octubre|october|oct|noviembre|november"
    "|nov|diciembre|december|dic|dec)[.]?"
)
_DAYS = r"(?:lun|mar|mi[eé]|jue|vie|s[aá]b|dom|mon|tue|wed|thu|fri|sat|sun)[a-zé]*[.]?,?\s+"
_NUMBER = (
    r"[($€£¥]*\s*[.,]?\d[\d\s.,:/'-]*(?:[ed][+-]?\d+)?\s*"  # 24/7, 1E5, $ 1.234,50, 3-2
    r"(?:%|[)$€£¥]|[ap][.]?\s?m[.]?)*"  # 12 %, 10:30 a. m.
)
# Text that a spreadsheet would run or change, in Python's and Postgres' syntax. An apostrophe keeps it as text.
GUARDED = "(?i)" + "|".join(
    [
        r"^\s*[=+@＝＋－＠-]|^[\t\r\n]",
        rf"^(?!(?:0|[1-9]\d{{0,10}})$)\s*{_NUMBER}\s*$",  # but for a short whole number, which stays as it is
        r"^\d{4}-\d\d-\d\dt\d",
        rf"^\s*(?:{_DAYS})?\d{{1,4}}[\s./-]*(?:de\s+)?{_MONTHS}(?:[\s./,-]*(?:de\s+)?\d{{1,4}})?(?:\s+\d[\d:]*)?$",
        rf"^\s*(?:{_DAYS})?{_MONTHS}[\s./,-]*(?:de\s+)?\d{{1,4}}(?:[\s./,-]+\d{{2,4}})?$",
        r"^\s*(?:true|false|verdadero|falso)\s*$",
        r"^\s*#[¡¿]?[a-z/0]+[!?]?$",
    ]
)
