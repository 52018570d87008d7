"""By what a person is known in a source's records: texts of one form, whatever way a source writes them.

They are never kept: ingestion hashes them, to know the records of people who were erased.
"""

import re

PHONE_DIGITS = 10  # of a number these last ones count: it comes with its country's code and without
_FEWEST_DIGITS = 7
_NOT_A_DIGIT = re.compile(r"\D")


def by_contact(contact_id: object) -> str | None:
    """A contact by its id; None where there is none."""
    text = str(contact_id).strip() if isinstance(contact_id, str | int) and not isinstance(contact_id, bool) else ""
    return f"contact:{text}" if text else None


def by_phone(number: object) -> str | None:
    """A person by a phone number; None where it is too short to be one."""
    digits = _NOT_A_DIGIT.sub("", str(number)) if isinstance(number, str | int) else ""
    return f"phone:{digits[-PHONE_DIGITS:]}" if len(digits) >= _FEWEST_DIGITS else None


def by_chat(chat_id: str) -> str:
    """Whoever had a chat."""
    return f"chat:{chat_id}"


def known_by(*found: str | None) -> tuple[str, ...]:
    """What is there of it, each once."""
    return tuple(dict.fromkeys(one for one in found if one))
