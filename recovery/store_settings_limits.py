"""Store settings of the limits: how often a person is written to, at which hours, and when it is too late."""

from pydantic import BaseModel, Field, field_validator

from recovery import quiet_hours


class LimitSettings(BaseModel):
    """When a message that could go is held back, or not sent at all."""

    quiet_hours: str = Field(
        "21:00-08:00",
        description="Hours in which nothing is sent, by the clocks of the store's time zone; a message waits for their "
        "end. off: none.",
    )
    mails_per_person: int = Field(
        3,
        ge=0,
        le=1000,
        description="The most mails to one person in so many days, in all stores of the shop; 0: no limit.",
    )
    carts_per_person: int = Field(
        1,
        ge=0,
        le=1000,
        description="The most carts left behind that a person is written to about in so many days; one that was "
        "changed and left again counts anew. 0: no limit.",
    )
    per_person_days: int = Field(7, ge=1, le=365, description="The days of the two limits above.")
    order_cool_off_days: int = Field(
        14, ge=0, le=365, description="Days after an order in which its customer is not written to; 0: none."
    )
    bought_elsewhere_hours: int = Field(
        72,
        ge=0,
        le=24 * 14,
        description="Hours around a cart in which an order under another address is looked at as its likely purchase; "
        "0: never.",
    )
    max_late_hours: int = Field(
        72,
        ge=24,
        le=24 * 30,
        description="Hours a message may be late, as after an outage or a long wait; a later one is not sent.",
    )

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, value: str) -> str:
        quiet_hours.parse(value)
        return value
