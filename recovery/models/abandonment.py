"""An abandonment is one episode of a cart left behind; decisions say why it was or was not written to."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.cart import Cart
from recovery.models.order import Order
from recovery.models.store import Connection, Store


class Abandonment(Model):
    """One episode of a cart left behind.

    ``status`` is ``detected|scored|skipped|contacted`` while open (then ``open_key`` is the cart's id, which makes a
    second open one impossible) and ``recovered|superseded|dismissed|expired|erased`` once closed (``open_key`` null).
    ``arm`` is ``treatment`` or ``holdout``, drawn while ``holdout_percent`` was the store's share. ``eligible_at`` is
    when, while the store was live, every check but the hold-out first held: from then on arms are compared.
    ``fingerprint``, ``total`` and ``currency`` are the cart's at detection.
    ``due_at`` is when the next step is looked at, null when there is none.
    ``score`` and ``reason_code`` count; ``scored_by`` says whose they are, ``heuristic`` or ``model``. Both judgements
    are kept beside them: ``contributions`` sum to ``heuristic_score``; ``score_cause`` says why a model that was to
    judge did not. Who asks a model holds the row until ``scoring_until``
    (the database's clock). Revenue is in minor units of its own currency.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.RESTRICT
    )
    connection_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "models.Cart", related_name="abandonments", on_delete=fields.CASCADE
    )
    cart_id: int
    open_key = fields.BigIntField(null=True, unique=True)
    status = fields.CharField(16, default="detected")
    detected_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    email_hash = fields.CharField(64, null=True)
    arm = fields.CharField(16, default="treatment")
    holdout_percent = fields.SmallIntField(null=True)
    eligible_at: datetime | None = fields.DatetimeField(null=True)
    fingerprint = fields.CharField(64)
    total = fields.BigIntField()
    currency = fields.CharField(3)
    currency_digits = fields.SmallIntField()

    score = fields.FloatField(null=True)
    scored_at: datetime | None = fields.DatetimeField(null=True)
    scored_by = fields.CharField(16, null=True)
    reason_code = fields.CharField(32, null=True)
    contributions: list[dict[str, Any]] = fields.JSONField(default=list)
    scoring_until: datetime | None = fields.DatetimeField(null=True)
    heuristic_score = fields.FloatField(null=True)
    heuristic_reason = fields.CharField(32, null=True)
    model_score = fields.FloatField(null=True)
    model_reason = fields.CharField(32, null=True)
    model_rationale = fields.CharField(200, null=True)
    score_model = fields.CharField(200, null=True)
    score_tokens = fields.IntField(null=True)
    score_cause = fields.CharField(32, null=True)
    score_detail = fields.CharField(200, null=True)

    recovered_at: datetime | None = fields.DatetimeField(null=True)
    recovered_order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "models.Order", null=True, related_name="recovered", on_delete=fields.SET_NULL
    )
    recovered_order_id: int | None
    recovered_revenue = fields.BigIntField(null=True)
    recovered_currency = fields.CharField(3, null=True)
    recovered_currency_digits = fields.SmallIntField(null=True)
    recovery_reversed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "abandonment"
        indexes = (
            ("cart_id",),
            ("store_id", "detected_at"),
            ("status", "detected_at"),
            ("connection_id", "email_hash"),
        )


class Decision(Model):
    """Why an abandonment's step was or was not written to; a row only when the answer changed.

    ``outcome`` is ``queued``, ``waiting``, ``sent`` (every check held at the point of no return), ``skipped``,
    ``held_out`` or ``would_send``; ``reason`` is the first failing check. ``terminal_key`` ("abandonment:step") is set
    on a final answer and unique, so there is one at most.
    """

    id = fields.BigIntField(primary_key=True)
    abandonment: fields.ForeignKeyRelation[Abandonment] = fields.ForeignKeyField(
        "models.Abandonment", related_name="decisions", on_delete=fields.CASCADE
    )
    abandonment_id: int
    step = fields.SmallIntField()
    at = fields.DatetimeField()
    outcome = fields.CharField(16)
    reason = fields.CharField(32, null=True)
    checks: list[dict[str, Any]] = fields.JSONField(default=list)
    settings_version = fields.CharField(32)
    terminal_key = fields.CharField(64, null=True, unique=True)

    class Meta:
        table = "decision"
        indexes = (("abandonment_id", "step", "at"),)
