"""Does what a client's frame asks of a conversation: a question, a cancel, a person, another variant, and the like."""

import uuid
from typing import Any

from chatbot import events, turns, wishes
from chatbot.assistant import publish_events
from chatbot.chat import Chat

Request = events.Msg | events.Retry | events.Cancel | events.Vote | events.Person | events.Take


async def act(chat: Chat, conversation: uuid.UUID, frame: Request) -> dict[str, Any] | None:
    """Do it and tell every node; the frame that only the asking client gets, if any.

    Raises:
        TurnRefused: it can't be done now.
        ConversationGone, ConversationOver: nothing can be done any more.
    """
    now = chat.runtime.now()
    if isinstance(frame, events.Vote):
        voted = await turns.vote(conversation, frame.msg, frame.v, now)
        await publish_events(chat.fanout, conversation, voted)
        return None
    if isinstance(frame, events.Cancel):
        # The flag first: whoever produces the answer finds it there if the word gets lost.
        await turns.request_cancel(conversation, frame.turn)
        await chat.fanout.publish(str(conversation), {"k": "c", "turn": str(frame.turn)})
        return None
    if isinstance(frame, events.Person):
        told = await wishes.ask_person(chat.runtime, conversation, frame, chat.limits, now)
        await publish_events(chat.fanout, conversation, told)
        await chat.runtime.doorbell.ring("notice")
        return None
    if isinstance(frame, events.Take):
        for talk, written in await wishes.take(conversation, frame, chat.limits, now):
            await publish_events(chat.fanout, talk, written)
        return None
    if isinstance(frame, events.Msg):
        asked = await turns.ask(conversation, frame.id, frame.text, chat.limits, now)
    else:
        asked = await turns.retry(conversation, frame.turn, chat.limits, now)
    if asked.id is None:
        return asked.stored.frame()
    chat.assistant.begin(asked.id, conversation)
    await publish_events(chat.fanout, conversation, [asked.stored])
    return None
