"""Which language model a store has chosen: where it is, its key and prices, and what its server should take."""

from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from recovery.llm_wire import Dialect, Usage
from recovery.secrets import Vault
from recovery.store_settings import StoreSettings, open_secret

#: Hosts that know ``store`` and want the limit by its new name; others may refuse a field they do not know.
_OPENAI_HOSTS = (".api.openai.com", ".openai.azure.com")


@dataclass(frozen=True)
class ModelProfile:
    """Which model is asked, where and with which key; prices per million tokens, for estimates only."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    input_price: Decimal | None = None
    output_price: Decimal | None = None

    @property
    def host(self) -> str:
        """Where it is, for people."""
        return urlsplit(self.base_url).hostname or self.base_url

    @property
    def dialect(self) -> Dialect:
        """What its server is expected to take."""
        if f".{self.host}".endswith(_OPENAI_HOSTS):
            return Dialect("max_completion_tokens", store=True)
        return Dialect()

    def cost(self, usage: Usage) -> Decimal | None:
        """What ``usage`` costs; None where a price is not set."""
        if self.input_price is None or self.output_price is None:
            return None
        return (self.input_price * usage.input + self.output_price * usage.output) / 1_000_000


def profile_of(settings: StoreSettings, vault: Vault) -> ModelProfile | None:
    """The model a store has chosen; None when it has chosen none or not named it yet.

    Raises:
        SetupError: the stored key was encrypted with another secret key.
    """
    if settings.ai_provider != "openai" or settings.ai_model is None:
        return None
    key = open_secret(vault, settings.ai_api_key) if settings.ai_api_key else None
    prices = [None if p is None else Decimal(str(p)) for p in (settings.ai_input_price, settings.ai_output_price)]
    return ModelProfile(settings.ai_base_url, settings.ai_model, key, *prices)
