"""A budget counts the tokens of language models that a conversation, store or job may use."""

from tortoise import Model, fields


class LlmBudget(Model):
    """One budget: ``used`` is settled, ``reserved`` is out on calls that still run; together never above ``cap``.

    ``key`` names what it is for: ``conversation:…``, ``store:ID:DAY``, ``batch:ID:DAY``. Only a call that takes more
    than was reserved can bring ``used`` above ``cap``.
    """

    key = fields.CharField(96, primary_key=True)
    cap = fields.BigIntField()
    used = fields.BigIntField(default=0)
    reserved = fields.BigIntField(default=0)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "llm_budget"
        indexes = (("changed_at",),)


class LlmReservation(Model):
    """Tokens reserved for one running call in all its budgets; ``until`` is on the database's clock.

    A row that outlives ``until`` belongs to a process that died: its tokens go back.
    """

    id = fields.UUIDField(primary_key=True)
    keys: list[str] = fields.JSONField()
    tokens = fields.BigIntField()
    until = fields.DatetimeField()

    class Meta:
        table = "llm_reservation"
        indexes = (("until",),)
