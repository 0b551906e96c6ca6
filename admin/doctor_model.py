"""The doctor on language models: whether the ones the stores have chosen answer, and if not, why."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from admin.doctor_installation import named_stores
from admin.doctor_servers import is_loopback
from admin.findings import Finding, good, note, wrong
from recovery import budgets
from recovery.errors import SetupError
from recovery.llm import Llm, LlmCut, LlmUnavailable, ModelProfile, Usage, open_llm, profile_of
from recovery.secrets import Vault
from recovery.stores.registry import StoreInForce
from recovery.text import one_line

BUILT_IN = "what is built in scores, writes and answers"


async def examine(keys: Sequence[str], *, private_hosts: bool = False) -> list[Finding]:
    """Which mind scores and answers, and what becomes of a question to each model that is set."""
    chosen = [(store, name) for store, name in await named_stores() if store.settings.ai_provider == "openai"]
    if not chosen:
        return [note("Model", f"{BUILT_IN}; no key is needed and none is used")]
    found = [note("Model", f"the models below are asked; where one fails, {BUILT_IN}")]
    profiles: dict[ModelProfile, list[str]] = {}
    for store, name in chosen:
        profile = _profile(store, name, keys)
        if isinstance(profile, Finding):
            found.append(profile)
        else:
            found.append(note(f"Model of {name}", f"it {_duties(store)}"))
            profiles.setdefault(profile, []).append(name)
    async with open_llm(private_hosts=private_hosts) as llm:
        checked = await asyncio.gather(*(_check(llm, profile, stores) for profile, stores in profiles.items()))
    return found + [finding for findings in checked for finding in findings]


def _duties(store: StoreInForce) -> str:
    """What a store's model is asked for."""
    scores = {"on": "scores carts", "beside": "scores carts beside what is built in", "off": ""}
    duties = [
        scores[store.settings.ai_scoring],
        "writes mails" if store.settings.ai_emails else "",
        "answers customers",
    ]
    return " and ".join(", ".join(filter(None, duties)).rsplit(", ", 1))


def _profile(store: StoreInForce, name: str, keys: Sequence[str]) -> ModelProfile | Finding:
    subject = f"Model of {name}"
    if store.settings.ai_model is None:
        fix = f"`cartback settings set ai_model NAME --store {name}`"
        return wrong(subject, "ai_provider is openai, but no model is named", fix)
    try:
        profile = profile_of(store.settings, Vault(list(keys)))
    except (SetupError, ValueError):
        fix = "Set the key anew: `cartback settings set ai_api_key -`, or bring the old secret key back."
        return wrong(subject, "the secret key does not open its stored key", fix)
    assert profile is not None
    return profile


async def _check(llm: Llm, profile: ModelProfile, stores: Sequence[str]) -> list[Finding]:
    subject, where = f"Model of {', '.join(stores)}", f"{profile.model} at {profile.host}"
    try:
        checked = await llm.check(profile)
    except (LlmUnavailable, LlmCut) as error:
        said = f"; it says: {one_line(error.told, 200)}" if error.told else ""
        return [wrong(subject, f"{where}: {error}{said}", error.cause.advice)]
    found = [good(subject, f"{where} answers after {checked.seconds:.1f} s{_ceiling(profile)}")]
    if profile.api_key and urlsplit(profile.base_url).scheme == "http" and not is_loopback(profile.host):
        found.append(note(subject, "its key and every prompt travel unencrypted", "Use an address with https."))
    return found


def _ceiling(profile: ModelProfile) -> str:
    """What a day can cost at most."""
    tokens = budgets.STORE_DAY_TOKENS
    costs = [cost for usage in (Usage(tokens, 0), Usage(0, tokens)) if (cost := profile.cost(usage)) is not None]
    return f"; at most {tokens:,} tokens a store and day, which cost {max(costs):.2f} at most" if costs else ""
