"""Opaque tokens: made at random, kept as their hash."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits that fit into a link or a header."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token: who reads the database can open nothing with it."""
    return hashlib.sha256(token.encode()).hexdigest()
