"""The row behind each signed link: what it opens, whether it was revoked, when it was fetched."""

from datetime import datetime

from tortoise import Model, fields

from recovery.models.cart import Cart
from recovery.models.email import Email
from recovery.models.store import Store


class LinkToken(Model):
    """One link; ``kind`` is ``restore`` or ``assistant``, ``email_hash`` is the person it was made for.

    ``renews`` is the link of the recovery mail that this one was asked for in place of. ``restored_at`` is when
    the shop last let a customer in by it, as the shop told.
    """

    jti = fields.CharField(32, primary_key=True)
    kind = fields.CharField(16)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField("models.Cart", on_delete=fields.CASCADE)
    cart_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    email: fields.ForeignKeyNullableRelation[Email] = fields.ForeignKeyField(
        "models.Email", null=True, related_name="links", on_delete=fields.CASCADE
    )
    email_id: str | None
    email_hash = fields.CharField(64)
    renews = fields.CharField(32, null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    revoked_at: datetime | None = fields.DatetimeField(null=True)
    first_seen_at: datetime | None = fields.DatetimeField(null=True)
    last_seen_at: datetime | None = fields.DatetimeField(null=True)
    uses = fields.IntField(default=0)
    restored_at: datetime | None = fields.DatetimeField(null=True)

    visits: fields.ReverseRelation["LinkVisit"]

    class Meta:
        table = "link_token"
        indexes = (("cart_id",), ("email_id",))


class LinkVisit(Model):
    """One fetch of a link by GET, by a person or a machine; only the first ones of a link are kept."""

    id = fields.BigIntField(primary_key=True)
    link: fields.ForeignKeyRelation[LinkToken] = fields.ForeignKeyField(
        "models.LinkToken", related_name="visits", on_delete=fields.CASCADE
    )
    link_id: str
    at = fields.DatetimeField()

    class Meta:
        table = "link_visit"
        indexes = (("link_id",), ("at",))
