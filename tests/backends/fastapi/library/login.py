"""Who may come in, and what they may do: passwords are kept as scrypt hashes, tokens in memory for an hour."""

import hashlib
import hmac
import os
import secrets
import time
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from library.models import Account, Credentials

TOKEN_SECONDS = 3600

_bearer = HTTPBearer(auto_error=False)
_tokens: dict[str, tuple[Account, float]] = {}


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1)


def _account(user: str, role: str, password: str) -> tuple[Account, bytes, bytes]:
    salt = secrets.token_bytes(16)
    return Account(user=user, role=role), salt, _hash(password, salt)


_accounts = {
    "reader": _account("reader", "reader", "reading"),
    # Without a password nobody gets in as librarian.
    "librarian": _account("librarian", "librarian", os.environ.get("LIBRARY_PASSWORD") or secrets.token_hex(16)),
}


def log_in(credentials: Credentials) -> str:
    """Return a new token, or refuse with 401."""
    account, salt, expected = _accounts.get(credentials.user) or (None, b"salt", b"")
    if not hmac.compare_digest(_hash(credentials.password, salt), expected) or account is None:
        raise HTTPException(401, "User or password is wrong.", {"WWW-Authenticate": "Bearer"})
    now = time.monotonic()
    for token in [token for token, (_, ends) in list(_tokens.items()) if ends < now]:
        _tokens.pop(token, None)
    token = secrets.token_urlsafe(24)
    _tokens[token] = (account, now + TOKEN_SECONDS)
    return token


def account_of_request(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Account:
    """Return who is asking, or refuse with 401."""
    account, ends = _tokens.get(credentials.credentials, (None, 0.0)) if credentials else (None, 0.0)
    if account is None or ends < time.monotonic():
        raise HTTPException(401, "A valid token is needed.", {"WWW-Authenticate": "Bearer"})
    return account


Reader = Annotated[Account, Depends(account_of_request)]


def librarian_of_request(account: Reader) -> Account:
    """Return the librarian who is asking, or refuse with 403."""
    if account.role != "librarian":
        raise HTTPException(403, "Only a librarian may do this.")
    return account


Librarian = Annotated[Account, Depends(librarian_of_request)]
