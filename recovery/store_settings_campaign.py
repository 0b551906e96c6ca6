"""Store settings of the sequence: which carts are found, who is written to, and when."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Variant = Literal["reminder", "question", "last_call"]


class Step(BaseModel):
    """One message of the sequence: how long after the detection it is due, and what it says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    delay_minutes: int = Field(0, ge=0, le=60 * 24 * 30, description="Minutes from the detection to this message.")
    coupon: bool | None = Field(
        None, description="Whether this message may carry a coupon; unset: only the last message may."
    )
    variant: Variant | None = Field(
        None,
        description="Its text: reminder, question or last_call; unset: the first reminds, the last is the last_call, "
        "those between ask.",
    )


#: The sequences with a name: one mail at once, what shops usually do, and for what takes long to decide.
STEP_PRESETS: dict[str, tuple[Step, ...]] = {
    "at_once": (Step(delay_minutes=0),),
    "recommended": (Step(delay_minutes=4 * 60), Step(delay_minutes=24 * 60), Step(delay_minutes=72 * 60)),
    "long_decision": (Step(delay_minutes=24 * 60), Step(delay_minutes=4 * 24 * 60), Step(delay_minutes=10 * 24 * 60)),
}


class CampaignSettings(BaseModel):
    """Which carts count as abandoned, who may be written to, and the messages."""

    enabled: bool = Field(True, description="Off: nothing is detected, scored or sent for this store.")
    inactivity_minutes: int = Field(
        30,
        ge=1,
        le=60 * 24 * 30,
        description="Minutes without a change until an active cart counts as abandoned.",
    )
    look_back_hours: int = Field(
        24, ge=1, le=24 * 30, description="Carts that fell idle longer ago than this are history and never detected."
    )
    expire_days: int = Field(14, ge=1, le=90, description="Days after which an abandonment nobody came back to ends.")
    batch_size: int = Field(
        100, ge=1, le=5000, description="Carts handled in one run of detection, of scoring and of sending."
    )
    min_intent_score: float = Field(
        0.45, ge=0, le=1, description="Only carts with at least this intent score are written to; equal is enough."
    )
    steps: list[Step] = Field(
        default_factory=lambda: list(STEP_PRESETS["at_once"]),
        min_length=1,
        max_length=10,
        description="The messages of the sequence, each with its delay from the detection; or the name of a preset.",
    )
    consent_policy: Literal["require", "soft_opt_in", "off"] | None = Field(
        None,
        description="Who may be written to: require (a positive consent), soft_opt_in (also earlier customers who did "
        "not object), off (no proof asked). Unset works like require until a person chooses.",
    )
    holdout_percent: int = Field(
        0, ge=0, le=50, description="Share of people who are never written to, to measure what the mails really bring."
    )
    max_email_attempts: int = Field(3, ge=1, le=20, description="Failed attempts after which a mail is given up.")

    @field_validator("steps", mode="before")
    @classmethod
    def _preset(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in STEP_PRESETS:
            raise ValueError(f"must be a list of messages or one of {', '.join(STEP_PRESETS)}")
        return list(STEP_PRESETS[value])

    @model_validator(mode="after")
    def _delays_rise(self) -> Self:
        delays = [step.delay_minutes for step in self.steps]
        if delays != sorted(set(delays)):
            raise ValueError("the delays of the steps must rise")
        return self

    @property
    def effective_consent_policy(self) -> Literal["require", "soft_opt_in", "off"]:
        """The policy in force: until a person has chosen, the strictest."""
        return self.consent_policy or "require"
