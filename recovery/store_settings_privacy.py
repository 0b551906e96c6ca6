"""Store settings of how long personal data is kept."""

from pydantic import BaseModel, Field


class PrivacySettings(BaseModel):
    """Days until carts, mails and conversations are forgotten by themselves."""

    keep_carts_days: int = Field(
        180,
        ge=30,
        le=3650,
        description="Days after a cart's last change until its person, lines and mails are forgotten.",
    )
    keep_conversations_days: int = Field(
        90, ge=1, le=3650, description="Days after a conversation's end until what was said is forgotten."
    )
