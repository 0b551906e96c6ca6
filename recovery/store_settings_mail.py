"""Store settings of the mails and of the pages reached from them: sender, addresses, looks, links."""

import re
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from recovery.text import email_address


class MailSettings(BaseModel):
    """Who writes, what stands at the foot of a mail, how a shop's pages look, how long links work."""

    copy_address: str | None = Field(None, description="The shop's own address that gets a marked copy of each mail.")
    sender_name: str | None = Field(None, max_length=78, description="Name in the From line; unset: the store's name.")
    sender_address: str | None = Field(None, description="Address in the From line. Nothing is sent without it.")
    reply_to: str | None = Field(None, description="Where answers of customers go; unset: the sender.")
    support_address: str | None = Field(
        None, description="Where questions for a person go; unset: where answers of customers go."
    )
    postal_address: str | None = Field(
        None,
        max_length=255,
        description="The merchant's postal address for the foot of each mail. Nothing is sent without it.",
    )
    privacy_url: str | None = Field(None, max_length=1024, description="Link to the store's privacy policy.")
    contact_url: str | None = Field(None, max_length=1024, description="Where a customer reaches a person.")
    logo_url: str | None = Field(
        None,
        max_length=1024,
        description="The store's logo in mails and on their pages; shown if its host is one of the connection's.",
    )
    brand_color: str | None = Field(
        None,
        description="The store's colour in mails and on their pages, such as #1d5a8a; made readable where it is not.",
    )
    form_of_address: Literal["informal", "formal"] = Field(
        "informal", description="How Polish texts address the customer: informal (Ty) or formal (Państwo)."
    )
    restore_days: int = Field(7, ge=1, le=90, description="Days a restore link works.")
    assistant_link: bool = Field(True, description="Whether mails carry a link to the live assistant.")
    conversation_minutes: int = Field(
        1440, ge=5, le=60 * 24 * 30, description="Minutes the assistant link works, from the sending of its mail."
    )

    @field_validator("copy_address", "sender_address", "reply_to", "support_address")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = email_address(value)
        if address is None:
            raise ValueError("must be one e-mail address")
        return address

    @field_validator("privacy_url", "contact_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://", "mailto:")):
            raise ValueError("must start with https://")
        return value

    @field_validator("logo_url")
    @classmethod
    def _picture_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must start with https://")
        return value

    @field_validator("brand_color")
    @classmethod
    def _color(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour such as #1d5a8a")
        return value and value.lower()
