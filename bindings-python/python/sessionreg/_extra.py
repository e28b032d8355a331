"""Values of keys that the format does not know: JSON text to Python and back, never coerced."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from .errors import InvalidInputError

__all__ = ["dump", "parse"]


def parse(text: str) -> Any:
    """Parse text that is known to be JSON."""
    try:
        return json.loads(text)
    except ValueError:
        # `int` refuses thousands of digits, to bound the time that they take; a record does that.
        return json.loads(text, parse_int=_integer)


def dump(value: Any) -> str:
    """Return a value as JSON text; what JSON would have to change is refused."""
    _check(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        # Lone surrogates are legal in JSON only as escapes, and two in a row are one character.
        text = json.dumps(value, allow_nan=False)
        if json.loads(text) != value:
            raise InvalidInputError("failed to accept `extra`: surrogates form a pair") from None
    except ValueError as error:
        raise InvalidInputError(f"failed to accept `extra`: {error}") from None
    return text


def _integer(digits: str) -> int:
    return int(Decimal(digits))


def _check(value: Any) -> None:
    """Refuse what `json.dumps` would turn into something else, such as keys that are no text."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"`extra` must have keys of str, not {type(key).__name__}")
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif value is not None and not isinstance(value, (str, int, float)):
        raise TypeError(f"`extra` must hold JSON values, not {type(value).__name__}")
