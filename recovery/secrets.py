"""Keys: what signs links, what encrypts stored secrets, what hashes addresses."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recovery.errors import SetupError

#: How the ids of what was erased begin.
ERASED = "erased:"


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one ``purpose`` by HKDF-SHA256 (RFC 5869, no salt)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


def key_id(secret: str) -> str:
    """A short public name of a secret key: which one signed, without telling it."""
    return hashlib.sha256(f"cartback key id:{secret}".encode()).hexdigest()[:8]


class Vault:
    """Encrypts and decrypts what is stored; the newest key encrypts, all decrypt."""

    def __init__(self, secret_keys: list[str]) -> None:
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(derive(key.encode(), "cartback vault"))) for key in secret_keys]
        )

    def seal(self, secret: str) -> str:
        """``secret`` encrypted for the database."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            SetupError: none of the secret keys fits.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SetupError(
                "The stored secrets were encrypted with another secret key.",
                "Set CARTBACK_SECRET_KEY to the one this database was made with, "
                "or add that one to CARTBACK_PREVIOUS_SECRET_KEYS.",
            ) from error


@dataclass(frozen=True)
class Keys:
    """Every key of the process: secret keys by id (the first signs), the pepper and the unsubscribe key."""

    secret_keys: tuple[str, ...]
    vault: Vault
    pepper: bytes
    unsubscribe_key: bytes

    def email_hash(self, address: str) -> str:
        """The keyed hash that stands for an address everywhere but on the mail itself."""
        folded = unicodedata.normalize("NFKC", address).strip().lower()
        digest = hmac.new(self.pepper, folded.encode(), hashlib.sha256).digest()
        return "h1:" + base64.urlsafe_b64encode(digest).decode()[:22]

    def contact_hash(self, kind: str, told: str) -> str:
        """The keyed hash that stands for a phone number or postcode, to compare and never to read."""
        digest = hmac.new(self.pepper, f"{kind} {told}".encode(), hashlib.sha256).digest()
        return "c1:" + base64.urlsafe_b64encode(digest).decode()[:22]

    def pseudonym(self, kind: str, told: str) -> str:
        """What stands for an id of the shop (a quote, an order) once its person is erased: the same each time."""
        digest = hmac.new(self.pepper, f"{kind}\0{told}".encode(), hashlib.sha256).digest()
        return ERASED + base64.urlsafe_b64encode(digest).decode()[:22]


def make_secret_key(path: Path) -> None:
    """Make the secret key of an embedded installation in ``path``, readable by its owner only, unless it exists."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32) + "\n")


def new_hook_secret() -> str:
    """A fresh Standard Webhooks secret (``whsec_`` and 32 random bytes)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
