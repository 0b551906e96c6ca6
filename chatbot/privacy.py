"""How long personal data of conversations is kept."""

from datetime import datetime, timedelta

from chatbot.models import Conversation

#: As long as the notice to the shop that holds the same address.
ANSWER_ADDRESSES = timedelta(days=30)


async def retain(now: datetime) -> dict[str, int]:
    """Forget what is older than it may be kept; how much of each kind. That a person was asked for stays."""
    addresses = await Conversation.filter(
        waiting_since__lt=now - ANSWER_ADDRESSES, waiting_address__isnull=False
    ).update(waiting_address=None)
    return {"answer addresses": addresses}
