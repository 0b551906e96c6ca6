"""Answers about discounts: the coupon prepared for this cart as its row tells, and the codes that the cart holds."""

from chatbot.asked import Answer, Asked
from chatbot.context import OwnCoupon
from chatbot.words import fold, hits

#: A question that leaves "the code" to the one before it is short.
SHORT = 8


def say_own_coupon(asked: Asked) -> Answer | None:
    """How long this cart's coupon is valid or how it is used, where that is asked of the coupon."""
    coupon = asked.known.coupon
    return Answer("coupon", _told(coupon, asked)) if coupon is not None and _is_meant(asked) else None


def say_coupon(asked: Asked) -> Answer:
    """Whether there is a discount: only what is there already, ours or in the cart."""
    coupon = asked.known.coupon
    if coupon is not None:
        return Answer("coupon", _told(coupon, asked))
    codes = asked.known.coupon_codes
    if codes:
        return Answer("coupon", asked.texts.say("coupon_some", codes=", ".join(codes)))
    return Answer("coupon", asked.texts.say("coupon_none"))


def _is_meant(asked: Asked) -> bool:
    words, earlier = asked.texts.keywords["coupon"], asked.known.earlier[:1]
    if hits(asked.folded, words):
        return True
    return len(asked.folded.split()) <= SHORT and any(hits(fold(question), words) for question in earlier)


def _told(coupon: OwnCoupon, asked: Asked) -> str:
    texts, values = asked.texts, {"code": coupon.code, "percent": coupon.percent, "until": coupon.until}
    own, others = coupon.code.casefold(), []
    for code in asked.known.coupon_codes:
        if code.casefold() != own:
            others.append(code)
    if coupon.outcome != "works":
        said = [texts.say(f"coupon_{coupon.outcome}", **values)]
        return " ".join([*said, texts.say("coupon_some", codes=", ".join(others)) if others else ""]).strip()
    held = any(code.casefold() == own for code in asked.known.coupon_codes)
    parts = ["what", "until", "held" if held else "how"]
    lead = _lead(asked, parts)
    said = [texts.say(f"coupon_{lead}", **values)]
    said += [texts.say(f"coupon_{part}_too", **values) for part in parts if part != lead]
    if hits(asked.folded, texts.keywords["coupon_more"]):
        said.insert(0, texts.say("coupon_no_other"))
    return " ".join(said)


def _lead(asked: Asked, parts: list[str]) -> str:
    """What is asked first: until when, how, or what there is."""
    keywords = asked.texts.keywords
    if hits(asked.folded, keywords["coupon_until"]):
        return "until"
    return parts[-1] if hits(asked.folded, keywords["coupon_how"]) else "what"
