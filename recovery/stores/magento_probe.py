"""Tests a connection to Magento: one question per right that is needed, and where to click for what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_errors import Cause, MagentoError, NotAllowed
from recovery.stores.magento_http import MagentoHttp


@dataclass(frozen=True)
class Right:
    """A resource of Magento's access control: where its box is, what it is for, and a question that needs it."""

    resource: str
    box: str
    purpose: str
    path: str
    needed: bool = True


NEEDED = (
    Right("Magento_Backend::store", "Stores > Settings > All Stores", "the store views with language and currency",
          "store/storeConfigs"),
    Right("Magento_Cart::manage", "Carts > Manage carts", "the carts themselves", "carts/search"),
    Right("Magento_Sales::actions_view", "Sales > Operations > Orders > Actions > View",
          "whether a cart was bought, before each mail", "orders"),
    Right("Magento_Catalog::products", "Catalog > Inventory > Products", "names, pictures and links of products",
          "products"),
)  # fmt: skip
FOR_COUPONS = (
    Right("Magento_SalesRule::quote", "Marketing > Promotions > Cart Price Rules", "one-time codes made in Magento",
          "salesRules/search", needed=False),
    Right("Magento_Customer::group", "Customers > Customer Groups", "price rules that leave no customer out",
          "customerGroups/search", needed=False),
)  # fmt: skip
FOR_PAGES = (
    Right("Magento_Cms::page", "Content > Elements > Pages", "pages as policies", "cmsPage/search", needed=False),
    Right("Magento_Cms::block", "Content > Elements > Blocks", "blocks as policies", "cmsBlock/search", needed=False),
)  # fmt: skip
#: Everything that can be granted; the first set is enough to start with.
ALL = (*NEEDED, *FOR_COUPONS, *FOR_PAGES)


@dataclass(frozen=True)
class Answer:
    """How the shop answered to one right: ``error`` is None when all is well."""

    right: Right
    error: MagentoError | None


async def probe(http: MagentoHttp, rights: Iterable[Right] = NEEDED) -> list[Answer]:
    """Ask one small question per right; stops early when the shop as a whole does not answer."""
    answers = []
    for right in rights:
        criteria = () if right.path.startswith("store/") else Criteria().first(1).pairs()
        try:
            await http.get(right.path, criteria)
        except NotAllowed as error:
            answers.append(Answer(right, error))
        except MagentoError as error:
            return [*answers, Answer(right, error)]
        else:
            answers.append(Answer(right, None))
    return answers


def verdict(answers: list[Answer]) -> list[str]:
    """What is wrong and what to do about it, in sentences; nothing when all is well.

    A right that is not needed and not granted is no fault.
    """
    failed = [a for a in answers if a.error is not None and (a.right.needed or not isinstance(a.error, NotAllowed))]
    if not failed:
        return []
    first = failed[0].error
    assert first is not None
    refused = all(isinstance(answer.error, NotAllowed) for answer in failed)
    # Magento's 401 is the same for a wrong token, a bearer not allowed and a missing right; only comparing tells.
    if not refused or all(a.error is not None for a in answers) or first.cause is Cause.SIGNATURE_REFUSED:
        told = next((a.error for a in failed if a.error and not isinstance(a.error, NotAllowed)), first)
        return [f"{told}. {told.cause.advice}"]
    return [
        f"The right {a.right.resource} is missing, for {a.right.purpose}. {where_to_click(a.right)}" for a in failed
    ]


def where_to_click(right: Right) -> str:
    """Where in Magento's admin a right is given."""
    return f"In Magento's admin: System > Extensions > Integrations > the integration > API: tick {right.box}, save."
