"""Passwords and tokens of addresses, hidden in whatever is shown, logged or stored."""

import os
import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from urllib.parse import quote, unquote

MASK = "***"

_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "PREFECT_API_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_SECRETS = (
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "PREFECT_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_SERVER_API_AUTH_STRING",
)
_SHORT = 4
"""A secret of fewer characters is part of ordinary words, so it is only hidden where it is in an address."""

# A user and password reach to the last @, because people write @ and / into passwords without escaping them. Addresses
# of files (three slashes) have neither.
_NETWORK = r"[A-Za-z][A-Za-z0-9+.-]*://(?!/)"
_USER = re.compile(rf"({_NETWORK})\S*@")
_QUERY = re.compile(rf"{_NETWORK}[^\s?]*\?\S*")
_VALUE = re.compile(r"([?&;][^\s=&;#]+=)[^\s&;#]+")
_NAMED = re.compile(r"(?i)([?&;#][^\s=&;#]*(?:token|passw|pwd|secret|key|auth|sig|credential)[^\s=&;#]*=)[^\s&;#]+")
_HEADER = re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)\s+)[^\s'\"]+")


def without_secrets(text: str, *addresses: str) -> str:
    """Return a text in which the passwords and tokens of addresses are `***`.

    Hidden are user and password of every address, the values of its query, and, wherever else they appear, the secrets
    of known addresses: a library that reads an address otherwise shows parts of it. Mask before you shorten a text.

    Args:
        text: what is to be shown.
        addresses: known ones, besides those in the environment.
    """
    for secret, shown in _known(addresses):
        text = text.replace(secret, shown)
    text = _USER.sub(rf"\1{MASK}@", text)
    text = _QUERY.sub(lambda found: _VALUE.sub(rf"\1{MASK}", found.group()), text)
    return _HEADER.sub(rf"\1{MASK}", _NAMED.sub(rf"\1{MASK}", text))


def has_secret(address: str) -> bool:
    """Whether an address has a part that is hidden."""
    return without_secrets(address) != address


def _known(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Return what is replaced by what, the longest first."""
    found: set[tuple[str, str]] = set()
    for address in (*addresses, *(os.environ.get(name, "") for name in (*_ADDRESSES, *_PROXIES))):
        found |= set(_of_address(address))
    for name in _SECRETS:
        value = os.environ.get(name, "")
        for part in {value, value.partition(":")[2]}:
            found |= {(form, MASK) for form in _forms(part) if len(form) >= _SHORT}
    return sorted(found, key=lambda pair: (-len(pair[0]), pair))


def _of_address(address: str) -> Iterator[tuple[str, str]]:
    whole = re.match(rf"{_NETWORK}(.*)@", address, re.DOTALL)
    if whole:
        user = whole.group(1)
        password = user.partition(":")[2] or user
        # Cut at another place than the last @, it shows as the end of a path, as a port or as the name of a host.
        for start in _cuts(user):
            if user[start:]:
                yield f"{user[start:]}@", f"{MASK}@"
        cuts = [*_cuts(password), len(password) + 1]
        for piece in {password[a : b - 1] for a, b in combinations(cuts, 2)} - {""}:
            yield f"'{piece}'", f"'{MASK}'"
            yield f"port={piece}", f"port={MASK}"
            yield from ((form, MASK) for form in _forms(piece) if len(form) >= _SHORT)
    for _, value in re.findall(r"([?&;][^=&;#]+=)([^&;#]+)", address if "://" in address else ""):
        yield from ((form, MASK) for form in _forms(value) if len(form) >= _SHORT)


def _cuts(text: str) -> list[int]:
    """Return where a part of a text can begin: at its start, and after each character with a meaning in addresses."""
    return [0, *(found.end() for found in re.finditer(r"[/@:?#]", text))]


def _forms(secret: str) -> set[str]:
    return {secret, unquote(secret), quote(secret), quote(secret, safe="")}
