"""Store settings of the language model: which one is asked, at what price, and what it is told of the shop."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

#: How a secret begins once it is encrypted.
SEALED = "sealed:"


class ModelSettings(BaseModel):
    """The model behind scores, mails and the assistant, or what is built in; its address, key and prices."""

    ai_provider: Literal["heuristic", "openai"] = Field(
        "heuristic", description="What is asked: heuristic (built in) or openai (any OpenAI-compatible server)."
    )
    ai_base_url: str = Field(
        "https://api.openai.com/v1", max_length=1024, description="Where the model's server is; most end in /v1."
    )
    ai_model: str | None = Field(
        None, min_length=1, max_length=200, description="The model, as its provider spells it; openai needs it."
    )
    ai_api_key: str | None = Field(
        None, description="The key for the model's server; kept encrypted and never shown again. - reads it in."
    )
    ai_input_price: float | None = Field(
        None, ge=0, le=100_000, description="Price of a million tokens sent to the model, to estimate cost."
    )
    ai_output_price: float | None = Field(
        None, ge=0, le=100_000, description="Price of a million tokens the model answers with, in the same currency."
    )
    ai_scoring: Literal["off", "beside", "on"] = Field(
        "on",
        description="Whether the model scores carts: on (its score counts), beside (kept beside the built-in score, "
        "which counts) or off. Without a model, or where it fails, the built-in score counts.",
    )
    ai_emails: bool = Field(
        True,
        description="Whether the model writes the words of mails, which are then checked; off, or where it fails, they "
        "are ready-made.",
    )
    analysis_prompt: str | None = Field(
        None,
        max_length=4000,
        description="What the model should know to score carts of this shop, such as how its customers decide; {shop} "
        "and {language} stand for the store's. Scale, reason codes and what it sees of a cart stay as they are.",
    )
    email_prompt: str | None = Field(
        None,
        max_length=4000,
        description="How the model is to write mails of this shop, such as its tone; {shop} and {language} stand for "
        "the store's. The parts of a mail and the rules that its words are checked by stay as they are.",
    )
    conversation_prompt: str | None = Field(
        None,
        max_length=4000,
        description="How the model behind the assistant is to speak and what it should know of the shop; {shop} and "
        "{language} stand for the store's. Rules, prices and the disclosure stay as they are.",
    )

    @field_validator("ai_base_url")
    @classmethod
    def _model_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://api.example.com/v1")
        if parts.username is not None:
            raise ValueError("must not hold a user name or key; the key is ai_api_key")
        return value.rstrip("/").removesuffix("/chat/completions")

    @field_validator("ai_api_key")
    @classmethod
    def _sealed(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(SEALED):
            raise ValueError("must be encrypted before it is stored")
        return value
