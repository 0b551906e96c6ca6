"""Conversations of the assistant: their turns, and the durable events that every socket replays."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.cart import Cart
from recovery.models.store import Store


class Conversation(Model):
    """One customer's talk about one cart; ``last_seq`` numbers its durable events.

    ``status`` is ``open``, ``closed`` or ``erased``. ``link_jti`` is the assistant link that opened it.
    ``last_socket_at`` is on the database's clock. ``waiting_since`` is when the customer asked for a person, and
    ``waiting_address`` where the answer should go, forgotten after 30 days.
    """

    id = fields.UUIDField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "models.Cart", related_name="conversations", on_delete=fields.CASCADE
    )
    cart_id: int
    link_jti = fields.CharField(32, unique=True)
    language = fields.CharField(16)
    status = fields.CharField(16, default="open")
    last_seq = fields.BigIntField(default=0)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    closed_at: datetime | None = fields.DatetimeField(null=True)
    last_socket_at: datetime | None = fields.DatetimeField(null=True)
    waiting_since: datetime | None = fields.DatetimeField(null=True)
    waiting_address = fields.CharField(254, null=True)

    class Meta:
        table = "conversation"
        indexes = (("cart_id",), ("store_id", "created_at"))


class Turn(Model):
    """A question and its answer.

    ``client_id`` is the customer's own id of the question, so that sending it twice asks once. ``status`` is
    ``running`` or ``done`` (then ``finish`` is ``stop|cut|cancelled|fallback|error``). ``running_key`` is the
    conversation's id while running, so that there is one at most. ``fence`` counts who produces it, ``lease_until``
    is on the database's clock. ``answer`` is the text so far, flushed while it grows.

    ``model`` and what follows tell how the answer came about, tokens of all its calls together. ``cost_micros`` is an
    estimate in millionths of the currency that the store's prices are in; null where it has none. ``fallback_cause``
    is why the model did not answer: a name of ``recovery.llm_errors.Cause`` in lower case, or ``budget``.
    """

    id = fields.BigIntField(primary_key=True)
    conversation: fields.ForeignKeyRelation[Conversation] = fields.ForeignKeyField(
        "models.Conversation", related_name="turns", on_delete=fields.CASCADE
    )
    conversation_id: str
    client_id = fields.UUIDField()
    running_key = fields.UUIDField(null=True, unique=True)
    status = fields.CharField(16, default="running")
    finish = fields.CharField(16, null=True)
    question = fields.TextField()
    answer = fields.TextField(default="")
    cards: list[dict[str, Any]] = fields.JSONField(default=list)
    answered_by = fields.CharField(64, null=True)
    vote = fields.SmallIntField(null=True)
    cancel_requested = fields.BooleanField(default=False)
    fence = fields.IntField(default=0)
    claimed_by = fields.CharField(64, null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    asked_at = fields.DatetimeField()
    first_text_at: datetime | None = fields.DatetimeField(null=True)
    finished_at: datetime | None = fields.DatetimeField(null=True)
    model = fields.CharField(200, null=True)
    input_tokens = fields.IntField(null=True)
    output_tokens = fields.IntField(null=True)
    cost_micros = fields.BigIntField(null=True)
    first_text_ms = fields.IntField(null=True)
    total_ms = fields.IntField(null=True)
    fallback_cause = fields.CharField(32, null=True)
    fallback_detail = fields.CharField(200, null=True)

    withheld: fields.ReverseRelation["WithheldSentence"]

    class Meta:
        table = "turn"
        unique_together = (("conversation_id", "client_id"),)


class WithheldSentence(Model):
    """A sentence of a model that was not shown, because no typed fact backs what it claims."""

    id = fields.BigIntField(primary_key=True)
    turn: fields.ForeignKeyRelation[Turn] = fields.ForeignKeyField(
        "models.Turn", related_name="withheld", on_delete=fields.CASCADE
    )
    turn_id: int
    sentence = fields.TextField()
    kind = fields.CharField(32)
    claim = fields.CharField(200)

    class Meta:
        table = "withheld"


class ConversationEvent(Model):
    """One durable event as it is sent to every socket; ``payload`` is the frame without its ``seq``.

    Number 0 is never sent: the cart that stood on the page when the conversation began.
    """

    id = fields.BigIntField(primary_key=True)
    conversation: fields.ForeignKeyRelation[Conversation] = fields.ForeignKeyField(
        "models.Conversation", related_name="events", on_delete=fields.CASCADE
    )
    conversation_id: str
    seq = fields.BigIntField()
    payload: dict[str, Any] = fields.JSONField()
    at = fields.DatetimeField()

    class Meta:
        table = "conversation_event"
        unique_together = (("conversation_id", "seq"),)
