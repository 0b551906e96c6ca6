"""Store settings of the language model: which one is asked, at what price, and what it is told of the shop."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

#: How a secret begins once it is encrypted.
SEALED = "sealed:"


class ModelSettings(BaseModel):
    """The model behind the assistant, or the built-in answers; its address, key and prices."""

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
