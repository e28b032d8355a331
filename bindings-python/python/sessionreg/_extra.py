"""Values of keys that the format does not know: JSON text to Python and back, never coerced."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from .errors import InvalidInputError

__all__ = ["dump", "parse"]

# As every language writes it.
_COMPACT = (",", ":")


def parse(text: str) -> Any:
    """Parse text that is known to be JSON."""
    try:
        return json.loads(text)
    except ValueError:
        # `int` refuses thousands of digits, to bound the time that they take; a record does that.
        return json.loads(text, parse_int=_integer)


def dump(value: Any, name: str) -> str:
    """Return a value of the argument `name` as JSON text; what JSON would change is refused."""
    _check(value, name)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=_COMPACT)
        text.encode()
    except UnicodeEncodeError:
        # Lone surrogates are legal in JSON only as escapes, and two in a row are one character.
        text = json.dumps(value, allow_nan=False, separators=_COMPACT)
        if json.loads(text) != value:
            raise InvalidInputError(f"failed to accept `{name}`: surrogates form a pair") from None
    except ValueError as error:
        raise InvalidInputError(f"failed to accept `{name}`: {error}") from None
    return text


def _integer(digits: str) -> int:
    return int(Decimal(digits))


def _check(value: Any, name: str) -> None:
    """Refuse what `json.dumps` would turn into something else, such as keys that are no text."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"`{name}` must have keys of str, not {type(key).__name__}")
            _check(item, name)
    elif isinstance(value, list):
        for item in value:
            _check(item, name)
    elif value is not None and not isinstance(value, (str, int, float)):
        raise TypeError(f"`{name}` must hold JSON values, not {type(value).__name__}")
