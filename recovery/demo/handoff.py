"""Checks the hand-off that a restore link brings along, as a shop in any language would."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any


def handoff_key(hook_secret: str) -> bytes:
    """The connection's hand-off key: HKDF-SHA256 of the hook secret with an empty salt and info "handoff"."""
    raw = base64.b64decode(hook_secret.removeprefix("whsec_") + "==")
    extracted = hmac.digest(bytes(32), raw, "sha256")
    return hmac.digest(extracted, b"handoff\x01", hashlib.sha256)


def check_handoff(token: str, key: bytes, store: str) -> Mapping[str, Any] | None:
    """The claims of a genuine hand-off for this store that has not run out, else None."""
    try:
        head, body, signature = (_decoded(part) for part in token.split("."))
        if json.loads(head).get("alg") != "HS256":
            return None
        signed = token.rpartition(".")[0].encode()
        if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature):
            return None
        claims: dict[str, Any] = json.loads(body)
        meant = claims["iss"] == "cartback" and claims["aud"] == "handoff" and claims["store"] == store
        return claims if meant and claims["exp"] + 30 > time.time() else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def swaps_of(claims: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the customer took instead of what: pairs of variant ids."""
    return [(str(was), str(instead)) for was, instead in claims.get("swap", [])]


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
