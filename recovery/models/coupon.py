"""Coupons: one row per code made or taken for an abandonment, the loaded codes, the verdicts and the money."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.abandonment import Abandonment
from recovery.models.cart import Cart
from recovery.models.order import Order
from recovery.models.store import Connection, Store


class Coupon(Model):
    """The one coupon of one abandonment; its row holds the code before the shop is asked.

    ``status`` is ``reserved`` (the shop has not said yes yet), ``issued`` (it has), ``redeemed`` (an order used it),
    ``withdrawing`` (over, and the shop is to forget it) or ``released`` (its money is free again). ``source`` is
    ``callback``, ``magento`` or ``loaded``; ``attached`` says that we put it into the cart ourselves. ``amount`` is
    the worst-case discount in minor units of ``currency``, held in the budget named ``budget_key``. ``asks`` counts
    the shop's failures to answer; ``last_error`` is the newest.
    """

    id = fields.UUIDField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.RESTRICT
    )
    connection_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    abandonment: fields.ForeignKeyRelation[Abandonment] = fields.ForeignKeyField(
        "models.Abandonment", related_name="coupons", on_delete=fields.CASCADE
    )
    abandonment_id: int
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField("models.Cart", on_delete=fields.CASCADE)
    cart_id: int
    step = fields.SmallIntField()
    email_hash = fields.CharField(64)
    code = fields.CharField(64)
    percent = fields.SmallIntField()
    source = fields.CharField(16)
    attached = fields.BooleanField(default=False, db_default=False)
    status = fields.CharField(16)
    amount = fields.BigIntField()
    currency = fields.CharField(3)
    budget_key = fields.CharField(64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    issued_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    closed_reason = fields.CharField(32, null=True)
    next_try_at: datetime | None = fields.DatetimeField(null=True)
    asks = fields.SmallIntField(default=0)
    last_error = fields.CharField(255, null=True)
    redeemed_at: datetime | None = fields.DatetimeField(null=True)
    redeemed_order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "models.Order", null=True, related_name="coupons", on_delete=fields.SET_NULL
    )
    redeemed_order_id: int | None

    class Meta:
        table = "coupon"
        unique_together = (("abandonment_id",), ("connection_id", "code"))
        indexes = (("connection_id", "email_hash"), ("store_id", "status"), ("cart_id",))


class LoadedCode(Model):
    """A code that the merchant made in the shop and loaded here, to be taken by one abandonment."""

    id = fields.BigIntField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    code = fields.CharField(64)
    percent = fields.SmallIntField()
    expires_at: datetime | None = fields.DatetimeField(null=True)
    loaded_at = fields.DatetimeField()
    taken_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "loaded_code"
        unique_together = (("store_id", "code"),)
        indexes = (("store_id", "taken_at", "percent"),)


class CouponDecision(Model):
    """Why a message carries a coupon or not: the verdict of its step, the checks with their values.

    ``percent`` 0 means none; ``values`` are those that the sentence of ``reason`` names.
    """

    id = fields.BigIntField(primary_key=True)
    abandonment: fields.ForeignKeyRelation[Abandonment] = fields.ForeignKeyField(
        "models.Abandonment", related_name="coupon_decisions", on_delete=fields.CASCADE
    )
    abandonment_id: int
    step = fields.SmallIntField()
    at = fields.DatetimeField()
    percent = fields.SmallIntField()
    reason = fields.CharField(32)
    values: dict[str, Any] = fields.JSONField(default=dict)
    checks: list[dict[str, Any]] = fields.JSONField(default=list)
    settings_version = fields.CharField(32)

    class Meta:
        table = "coupon_decision"
        unique_together = (("abandonment_id", "step"),)


class CouponBudget(Model):
    """The worst-case discounts of one store in one calendar month of its time zone, in minor units of one currency.

    ``key`` is ``STORE:MONTH:CURRENCY``. The first three sums together stay below ``cap`` whenever something is
    reserved; ``released`` came back unused.
    """

    key = fields.CharField(64, primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    month = fields.CharField(7)
    currency = fields.CharField(3)
    cap = fields.BigIntField(null=True)
    reserved = fields.BigIntField(default=0)
    issued = fields.BigIntField(default=0)
    redeemed = fields.BigIntField(default=0)
    released = fields.BigIntField(default=0)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "coupon_budget"
        indexes = (("store_id", "month"),)
