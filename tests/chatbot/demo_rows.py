"""The outdoor demo shop of demo_knowledge.py as rows, and text planted in them as an attacker would."""

from chatbot.context import Item, Knowledge
from chatbot.models import Conversation, Turn
from recovery.models import Cart, CartItem, Policy, Product, ProductLink, Store
from recovery.runtime import Runtime
from tests.chatbot.demo_knowledge import demo_knowledge
from tests.chatbot.injections import Injection
from tests.chatbot.rows import Shop, make_shop

TARGET = "hala-moss-m"


async def make_demo_shop(runtime: Runtime, language: str) -> Shop:
    """The store, its products and policies, and the cart with a jacket and socks."""
    shop = await make_shop(runtime, language)
    for model in (Product, ProductLink, Policy):
        await model.filter(store_id=shop.store.id).delete()
    await CartItem.filter(cart_id=shop.cart.id).delete()
    known = demo_knowledge(language)
    await _products(runtime, shop.store, known)
    await _policies(runtime, shop.store, known)
    for position, line in enumerate(known.lines):
        assert line.item is not None
        await CartItem.create(
            cart=shop.cart, position=position, product_id=line.product_id, parent_id=line.item.family, name=line.name,
            quantity=line.quantity, row_total=line.row_total,
        )  # fmt: skip
    await Cart.filter(id=shop.cart.id).update(total=known.total, currency=known.currency)
    return shop


async def _products(runtime: Runtime, store: Store, known: Knowledge) -> None:
    items = {item.id: item for item in [*known.siblings, *(link.item for link in known.links)]}
    parents = {item.parent_id: item for item in items.values() if item.parent_id}
    rows = [_row(runtime, store, item, item.id, item.name, item.parent_id) for item in items.values()]
    rows += [_row(runtime, store, item, family, item.title, None) for family, item in parents.items()]
    await Product.bulk_create(rows)
    for position, link in enumerate(known.links[:20]):
        await ProductLink.create(
            store=store, product_id="hala", kind="related", linked_id=link.item.id, position=position
        )


def _row(runtime: Runtime, store: Store, item: Item, product_id: str, name: str, parent: str | None) -> Product:
    return Product(
        store_id=store.id, product_id=product_id, parent_id=parent, name=name, occurred_at=runtime.now(),
        currency=item.currency, currency_digits=item.digits, locale=store.language, price=item.price,
        in_stock=item.in_stock, stock_quantity=item.stock_quantity, categories=list(item.categories),
        description=item.description, short_description=item.short_description,
        attributes=[{"name": name, "value": value} for name, value in item.attributes],
    )  # fmt: skip


async def _policies(runtime: Runtime, store: Store, known: Knowledge) -> None:
    for number, policy in enumerate(known.policies):
        await Policy.create(
            store=store, key=f"p{number}", kind=policy.kind, locale=store.language, title=policy.title,
            text=policy.text, occurred_at=runtime.now(), facts=list(policy.facts),
        )  # fmt: skip


async def plant(runtime: Runtime, shop: Shop, conversation: str, case: Injection) -> None:
    """Put the attack where it belongs; what the customer asks is not ours to plant."""
    product = await Product.get(store_id=shop.store.id, product_id=TARGET)
    if case.place == "product_name":
        product.name = f"{product.name} {case.planted}"
    elif case.place == "description":
        product.description += f" {case.planted}"
    elif case.place == "attribute":
        product.attributes = [*product.attributes, {"name": "Note", "value": case.planted}]
    elif case.place == "policy":
        policy = await Policy.filter(store_id=shop.store.id).order_by("id").first()
        assert policy is not None
        policy.text += f" {case.planted}"
        await policy.save()
    elif case.place == "history":
        talk = await Conversation.get(id=conversation)
        await Turn.create(
            conversation=talk, client_id=talk.id, status="done", finish="stop", question=case.planted, answer="Yes.",
            asked_at=runtime.now(),
        )  # fmt: skip
    await product.save()


async def weed(shop: Shop, language: str) -> None:
    """Take out what was planted in the shop."""
    known = demo_knowledge(language)
    item = next(item for item in known.siblings if item.id == TARGET)
    await Product.filter(store_id=shop.store.id, product_id=TARGET).update(
        name=item.name,
        description=item.description,
        attributes=[{"name": name, "value": value} for name, value in item.attributes],
    )
    first = await Policy.filter(store_id=shop.store.id).order_by("id").first()
    assert first is not None
    await Policy.filter(id=first.id).update(text=known.policies[0].text)
