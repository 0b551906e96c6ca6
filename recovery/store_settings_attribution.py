"""Store settings of the figures: what counts as brought back by us."""

from pydantic import BaseModel, Field


class AttributionSettings(BaseModel):
    """How long after the click an order counts as brought by our link."""

    attribution_days: int = Field(
        7, ge=1, le=30, description="Days from the click on our link within which an order counts as brought by it."
    )
