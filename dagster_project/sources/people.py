"""By what a person is known in a source's records: texts of one form, whatever way a source writes them.

They are never kept: ingestion hashes them, to know the records of people who were erased.
"""

import re
import unicodedata

PHONE_DIGITS = 10  # of a number these last ones count: it comes with its country's code and without
_MIN_DIGITS = 7
# Ids, addresses and numbers in a text in small letters; Postgres reads it likewise.
_WORD = r"""[^][\s@"'\\<>,;:()/?&=]"""
MENTION = (
    rf"[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{_WORD}+@{_WORD}*[^][\s@\"'\\<>,;:()/?&=.]"
    r"|\+?[0-9][0-9 ().-]{5,}[0-9]"
)
_UUID = re.compile(r"[0-9a-f]{8}-")
_ONE_NUMBER = re.compile(r"\+?[0-9 ().-]*")
_EXTENSION = re.compile(r"\b(?:ext|extensi[oó]n|int|anexo|x)[\s.:=]*\d{1,6}\b|#\s*\d{1,6}\b", re.IGNORECASE)
_BETWEEN = re.compile(r"[/;,|\n]|\s(?:y|e|o|and|or)\s", re.IGNORECASE)


def by_contact(contact_id: object) -> str | None:
    """A contact by its id; None where there is none."""
    text = str(contact_id).strip() if isinstance(contact_id, str | int) and not isinstance(contact_id, bool) else ""
    return f"contact:{text}" if text else None


def by_phones(value: object) -> tuple[str, ...]:
    """A person by the phone numbers of a field, which may hold several, each with an extension.

    What is too short to be a number is none; a text of nothing but such pieces is read as one number.
    """
    if not isinstance(value, str | int):
        return ()
    text = str(value)
    if _ONE_NUMBER.fullmatch(text):
        numbers = [_digits(text)]
    else:
        less = _EXTENSION.sub(" ", text)
        numbers = [one for one in map(_digits, _BETWEEN.split(less)) if len(one) >= _MIN_DIGITS] or [_digits(less)]
    return tuple(f"phone:{one[-PHONE_DIGITS:]}" for one in numbers if len(one) >= _MIN_DIGITS)


def by_chat(chat_id: str) -> str:
    """Whoever had a chat."""
    return f"chat:{chat_id}"


def by_user(source: str, user_id: str) -> str:
    """A user of a source that has accounts of its own, or a conversation there that is about one, by its id."""
    return f"{source} user:{user_id}"


def by_mention(source: str, mention: str) -> str:
    """Whoever a source names in whatever field: by an id, an address or a number, as `mention_of` writes it."""
    return f"{source} mention:{mention}"


def mention_of(text: str) -> str:
    """An id, an address or a number in the form in which it is looked for."""
    small = text.strip().lower()
    digits = _digits(small)
    if "@" in small or _UUID.match(small) or len(digits) < _MIN_DIGITS:
        return small
    return digits[-PHONE_DIGITS:]


def mentioned(text: str) -> set[str]:
    """All that a text mentions."""
    return {mention_of(one) for one in re.findall(MENTION, text.lower().replace("%40", "@"))}


def known_by(*found: str | None) -> tuple[str, ...]:
    """What is there of it, each once."""
    return tuple(dict.fromkeys(one for one in found if one))


def _digits(text: str) -> str:
    """The digits of a text, of whatever script, as ours."""
    return "".join(str(unicodedata.decimal(one)) for one in text if one.isdecimal())
