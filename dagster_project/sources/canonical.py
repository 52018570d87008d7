"""The one JSON text of a value, from which content hashes are made: it must never change."""

import json
from typing import Any

import orjson


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted names, no whitespace, no escapes but the needed ones.

    Raises:
        ValueError: the value holds NaN or an infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_bytes(value: Any) -> bytes | None:
    """The same as UTF-8, several times as fast; None where only `canonical_json` can tell.

    The value must hold no float: orjson writes some of them otherwise (1e-5; in some versions 1e16). What else it
    would write otherwise it refuses: integers of more than 64 bits, lone surrogates, a bottomless nesting.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
