"""The one way out for mail: SMTP driven stage by stage, so that it is always known whether a mail may have gone
(the only user of ``aiosmtplib``).

Before DATA nothing has been sent, whatever happens. A reply to DATA says yes or no. No reply after DATA began means
that nobody knows (RFC 1047): that is ``NoAnswer``, and never a reason to send again.
"""

from dataclasses import dataclass
from typing import Literal

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPAuthenticationError, SMTPException, SMTPResponseException

from recovery.settings import Settings
from recovery.text import one_line

DATA_TIMEOUT = 300.0
_RELAY_CODES = frozenset({421, 454, 530, 534, 535, 538})


@dataclass(frozen=True)
class SmtpProfile:
    """How to reach a relay."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str | None = None
    password: str | None = None
    timeout: float = 30.0


class RelayTrouble(Exception):
    """The relay itself can't be used now (address, TLS, sign-in, closed door); says nothing about the mail."""


class Refusal(Exception):
    """The relay answered no to this mail; ``permanent`` for a 5xx."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = one_line(text, 500)
        self.permanent = 500 <= code < 600
        super().__init__(f"{code} {self.text}")


class NoAnswer(Exception):
    """The line went silent after DATA began: the mail may or may not have been accepted."""


def profile_of(settings: Settings) -> SmtpProfile:
    """The relay of the environment."""
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    return SmtpProfile(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_username,
        password,
        settings.smtp_timeout,
    )


class Mailer:
    """One connection to a relay, opened when first needed and used again for the next mail; not for two tasks."""

    def __init__(self, profile: SmtpProfile, data_timeout: float = DATA_TIMEOUT) -> None:
        self._profile = profile
        self._data_timeout = data_timeout
        self._smtp: SMTP | None = None

    async def offer(self, sender: str, recipient: str) -> None:
        """Connect, MAIL and RCPT. After any exception here nothing has been sent.

        Raises:
            RelayTrouble: the relay can't be used.
            Refusal: it does not want this mail, for now (4xx) or at all (5xx).
        """
        reused = self._smtp is not None and self._smtp.is_connected
        try:
            await self._envelope(sender, recipient)
        except RelayTrouble:
            if not reused:  # a relay may close an idle connection at any time
                raise
            await self._envelope(sender, recipient)

    async def _envelope(self, sender: str, recipient: str) -> None:
        try:
            smtp = await self._connected()
            try:
                await smtp.mail(sender, timeout=self._profile.timeout)
            except SMTPResponseException as error:
                # About us and not about this customer: the next mail would fare no better.
                raise RelayTrouble(f"The relay refuses the sender: {_reply(error)}") from error
            await smtp.rcpt(recipient, timeout=self._profile.timeout)
        except RelayTrouble:
            self.close()
            raise
        except SMTPResponseException as error:
            self.close()
            if error.code in _RELAY_CODES or error.code < 0:  # -1: a reply that can't be read
                raise RelayTrouble(_reply(error)) from error
            raise Refusal(error.code, _text(error)) from error
        except (SMTPException, OSError, ValueError) as error:
            self.close()
            raise RelayTrouble(f"{type(error).__name__}: {error}") from error

    async def data(self, message: bytes) -> tuple[int, str]:
        """Send the mail itself; the code and text with which the relay took it.

        Raises:
            Refusal: the relay said no; nothing has been sent.
            NoAnswer: nobody knows.
        """
        assert self._smtp is not None
        try:
            response = await self._smtp.data(message, timeout=self._data_timeout)
        except SMTPResponseException as error:
            self.close()
            if 400 <= error.code < 600:
                raise Refusal(error.code, _text(error)) from error
            raise NoAnswer(f"unreadable reply {error.code}") from error
        except (SMTPException, OSError, ValueError) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        return response.code, one_line(response.message, 500)

    def close(self) -> None:
        """Drop the connection; QUIT never decides anything."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _connected(self) -> SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        profile = self._profile
        smtp = SMTP(
            hostname=profile.host,
            port=profile.port,
            timeout=profile.timeout,
            use_tls=profile.security == "tls",
            start_tls=profile.security == "starttls",
        )
        self._smtp = smtp
        try:
            await smtp.connect()
            if profile.username is not None:
                await smtp.login(profile.username, profile.password or "")
        except SMTPAuthenticationError as error:
            raise RelayTrouble(f"The relay refuses the sign-in: {_reply(error)}") from error
        except SMTPResponseException as error:
            raise RelayTrouble(_reply(error)) from error
        return smtp


async def check(profile: SmtpProfile) -> None:
    """Connect and sign in, send nothing.

    Raises:
        RelayTrouble: with the cause in words.
    """
    mailer = Mailer(profile)
    try:
        await mailer._connected()
    except (SMTPException, OSError, ValueError) as error:
        raise RelayTrouble(f"{type(error).__name__}: {error}") from error
    finally:
        mailer.close()


def _text(error: SMTPResponseException) -> str:
    return error.message if isinstance(error.message, str) else str(error.message)


def _reply(error: SMTPResponseException) -> str:
    return f"{error.code} {one_line(_text(error), 300)}"
