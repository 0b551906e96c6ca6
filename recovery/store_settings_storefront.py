"""Store settings of the script on the shop's own pages."""

from pydantic import BaseModel, Field


class StorefrontSettings(BaseModel):
    """Whether the shop's pages carry our script."""

    storefront_script: bool = Field(
        False, description="The script tag is on the shop's pages: restore links lead to the shop's cart page."
    )
