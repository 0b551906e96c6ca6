"""Masks what customers write about themselves before a model reads it: addresses, numbers of phones, cards, accounts.

Pure. Wide on purpose: rather one long number too many is hidden than one phone number told.
"""

import re

_AT = r"(?:@|\uff20|%40|\s?[(\[]\s?(?:at|małpa)\s?[)\]]\s?)"
_DOT = r"(?:\.|\s?[(\[]\s?(?:dot|kropka)\s?[)\]]\s?)"
_EMAIL = re.compile(rf"[\w.+!#$%&'*/=?^`{{|}}~-]+{_AT}[\w-]+(?:{_DOT}[\w-]+)*", re.I)
#: Four blocks of an account number at the least; letters only where the country writes some.
_IBAN = re.compile(r"\b[A-Z]{2}\s?\d{2}(?:[\s-]?[A-Z0-9]{2,4}){3,8}\b", re.I)
_JOINT = r"[\s./()\u00a0\u2010-\u2015-]{0,3}"
#: Nine digits and more, however they are grouped, or seven after a plus.
_NUMBER = re.compile(rf"\+\s?\(?\d(?:{_JOINT}\d){{6,}}|\(?\d(?:{_JOINT}\d){{8,}}")


def mask_personal(text: str) -> str:
    """``text`` with e-mail addresses and the numbers of phones, cards and accounts replaced by what they were."""
    text = _EMAIL.sub("[e-mail]", text)
    text = _IBAN.sub(_account, text)
    return _NUMBER.sub("[number]", text)


def _account(found: re.Match[str]) -> str:
    """Only what is mostly digits is an account; ``AB12 some text here`` is none."""
    digits = sum(character.isdigit() for character in found[0])
    return "[account]" if digits >= 10 else found[0]
