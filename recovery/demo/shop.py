"""The demo shop itself: every change of a cart or an order, each told to Cartback by a hook."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from recovery.clock import Clock
from recovery.demo.cart_hooks import Addresses, cart_data, consent_data, order_data, restored_data
from recovery.demo.cart_state import (
    Cart,
    Consent,
    Coupon,
    Line,
    LineChange,
    Order,
    OrderLine,
    PricedCart,
    Stage,
    price_cart,
    swap_lines,
)
from recovery.demo.catalogue.model import Catalogue, Variant
from recovery.demo.catalogue_hooks import policy_batches, product_batches, stock_entries
from recovery.demo.customers import CUSTOMERS, Customer, customers_of
from recovery.demo.hook_sender import HookSender
from recovery.demo.shop_state import ShopRecords, load_records, new_id, save_records


class DemoShop:
    """Holds one connection with its stores; every public method leaves the file and the queue up to date."""

    def __init__(
        self, base_url: str, catalogues: Mapping[str, Catalogue], sender: HookSender, clock: Clock, state_dir: Path
    ) -> None:
        self.catalogues = dict(catalogues)
        self._addresses = {store: Addresses(base_url, store) for store in catalogues}
        self._sender = sender
        self._clock = clock
        self._path = state_dir / "shop.json"
        self._records = load_records(self._path)
        self._save()

    @property
    def records(self) -> ShopRecords:
        """What the shop remembers; change it only through the shop's methods."""
        return self._records

    # --- what is there -------------------------------------------------------------------------------------------

    def cart(self, quote_id: str | None) -> Cart | None:
        return self._records.carts.get(quote_id or "")

    def order(self, order_id: str) -> Order | None:
        return self._records.orders.get(order_id)

    def orders_of(self, customer_id: str) -> list[Order]:
        """That customer's orders that stand, newest first."""
        found = [order for order in self._records.orders.values() if order.customer_id == customer_id]
        return sorted(
            (order for order in found if order.state != "cancelled"), key=lambda order: order.placed_at, reverse=True
        )

    def priced(self, cart: Cart) -> PricedCart:
        return price_cart(cart, self.catalogues[cart.store], self._percent(cart.store, cart.coupon or ""))

    def stock(self, variant: Variant) -> int:
        """Pieces on the shelf now."""
        return max(variant.stock - self._records.sold.get(variant.id, 0), 0)

    # --- the catalogue -------------------------------------------------------------------------------------------

    def announce(self, store: str) -> None:
        """Send the store's whole catalogue, its policies and its customers' past orders."""
        now, catalogue, at = self._clock.now(), self.catalogues[store], self._addresses[store]
        for products in product_batches(catalogue, at, self.stock):
            self._sender.send("product.updated", store, now, {"products": products})
        for policies in policy_batches(catalogue, at):
            self._sender.send("policy.updated", store, now, {"policies": policies})
        for customer in customers_of(store):
            self._announce_past_orders(customer)
        self._save()

    def _announce_past_orders(self, customer: Customer) -> None:
        catalogue = self.catalogues[customer.store]
        for index, past in enumerate(customer.past_orders, 1):
            order_id = f"past-{customer.id}-{index}"
            order = self._records.orders.get(order_id)
            if order is None:
                bought = [
                    (catalogue.variants[variant_id], quantity)
                    for variant_id, quantity in past.items
                    if variant_id in catalogue.variants
                ]
                lines = [OrderLine(v.id, v.product_id, v.name, quantity, v.price * quantity) for v, quantity in bought]
                order = Order(
                    order_id=order_id,
                    number=f"P-{customer.id}-{index}",
                    store=customer.store,
                    quote_id=None,
                    state="completed",
                    placed_at=self._clock.now() - timedelta(days=past.days_ago),
                    currency=catalogue.currency,
                    total=sum(line.row_total for line in lines),
                    shipping=0,
                    discount=0,
                    lines=lines,
                    email=customer.email,
                    customer_id=customer.id,
                )
                self._records.orders[order_id] = order
            self._send_order("order.placed", order)

    # --- carts ---------------------------------------------------------------------------------------------------

    def open_cart(self, store: str, customer: Customer | None = None) -> Cart:
        """A new empty cart; Cartback hears of it with its first line."""
        now = self._clock.now()
        cart = Cart(new_id("Q"), store, now, now)
        self._records.carts[cart.quote_id] = cart
        if customer:
            self._own(cart, customer)
        self._save()
        return cart

    def add(self, cart: Cart, variant_id: str, quantity: int) -> bool:
        """Put pieces or packs in the cart, as many as there are; False when none are left."""
        variant = self.catalogues[cart.store].variants[variant_id]
        line = cart.line(variant_id)
        wanted = quantity + (line.quantity if line else 0)
        possible = min(wanted, self.stock(variant), variant.measure.most)
        if possible < 1:
            return False
        if line:
            line.quantity = possible
        else:
            cart.lines.append(Line(variant_id, possible, variant.price, variant.name))
        self._changed(cart)
        return possible == wanted

    def set_quantity(self, cart: Cart, variant_id: str, quantity: int) -> None:
        """Change one line's quantity; 0 removes the line."""
        line = cart.line(variant_id)
        if line is None:
            return
        variant = self.catalogues[cart.store].variants.get(variant_id)
        possible = min(quantity, self.stock(variant), variant.measure.most) if variant else 0
        if possible < 1:
            cart.lines.remove(line)
        else:
            line.quantity = possible
        self._changed(cart)

    def use_coupon(self, cart: Cart, code: str) -> bool:
        """Apply the code, or take it away when it is empty; False when the shop does not know it."""
        known = code.strip().upper()
        if known and not self._percent(cart.store, known):
            return False
        cart.coupon = known or None
        self._changed(cart)
        return True

    def take_coupon(self, code: str, coupon: Coupon) -> bool:
        """Keep a code that Cartback made; False when it is here already."""
        if code in self._records.coupons:
            return False
        self._records.coupons[code] = coupon
        self._save()
        return True

    def withdraw_coupon(self, code: str) -> bool:
        """Take a code back; False when the shop does not know it."""
        coupon = self._records.coupons.get(code)
        if coupon is not None:
            coupon.withdrawn = True
            self._save()
        return coupon is not None

    def _percent(self, store: str, code: str) -> int:
        """The discount of a code now, 0 for one that does not work."""
        made = self._records.percent(store, code, self._clock.now())
        return self.catalogues[store].coupons.get(code, 0) if made is None else made

    def set_contact(self, cart: Cart, email: str, marketing: bool) -> None:
        """The address was typed; a changed newsletter box is told on its own as well."""
        known = cart.email == email and cart.consent is not None
        ticked_before = cart.consent.marketing if cart.consent else None
        cart.email = email
        owner = CUSTOMERS.get(cart.customer_id or "")
        if owner and owner.email != email:
            cart.customer_id = None
        cart.reach("contact")
        # A box never ticked says nothing about the person; only one that was ticked before can be taken back.
        taken_back = known and ticked_before is True and not marketing
        if marketing and (not known or not ticked_before):
            cart.consent = Consent(True, self._clock.now())
        elif taken_back:
            cart.consent = Consent(False, self._clock.now())
        elif not known:
            cart.consent = None
        self._changed(cart)
        if taken_back or (known and marketing and not ticked_before):
            self._tell_consent(cart)

    def log_in(self, cart: Cart, customer: Customer) -> None:
        """The cart now belongs to this registered customer."""
        self._own(cart, customer)
        self._changed(cart)

    def set_shipping(self, cart: Cart, code: str) -> None:
        cart.shipping = code
        cart.reach("shipping")
        self._changed(cart)

    def set_payment(self, cart: Cart, code: str) -> bool:
        """Choose how to pay; False when the bank declines."""
        method = self.catalogues[cart.store].payment_method(code)
        cart.payment_failed = method is None or method.fails
        cart.payment = None if cart.payment_failed else code
        cart.reach("payment")
        self._changed(cart)
        return not cart.payment_failed

    def reach(self, cart: Cart, stage: Stage) -> None:
        """The shopper sees this stage; told only when it is the furthest so far."""
        if cart.reach(stage):
            self._changed(cart)

    def merge(self, cart: Cart, other: Cart) -> None:
        """Put the other cart's lines into this one and close the other."""
        for line in other.lines:
            variant = self.catalogues[cart.store].variants.get(line.variant_id)
            present = cart.line(line.variant_id)
            wanted = line.quantity + (present.quantity if present else 0)
            possible = min(wanted, self.stock(variant), variant.measure.most) if variant else 0
            if present:
                present.quantity = max(possible, present.quantity)
            elif possible:
                cart.lines.append(Line(line.variant_id, possible, line.unit_price, line.name))
        self._changed(cart)
        other.status, other.merged_into = "merged", cart.quote_id
        other.version += 1
        data = {"quote_id": other.quote_id, "into_quote_id": cart.quote_id, "version": other.version}
        self._tell("cart.merged", other.store, data)

    def drop(self, cart: Cart) -> None:
        """The shopper does not want this cart any more."""
        cart.status = "deleted"
        cart.version += 1
        self._tell("cart.deleted", cart.store, {"quote_id": cart.quote_id, "version": cart.version})

    def restore(self, cart: Cart, ref: str, code: str = "") -> None:
        """A hand-off brought this cart back: check and tell it once per ``ref``; a code goes into a cart without."""
        if cart.ref == ref:
            return
        cart.ref = ref
        if code and not cart.coupon:
            self.use_coupon(cart, code)
        cart.restored = [self._check_line(cart, line) for line in list(cart.lines)]
        if any(change.outcome != "kept" for change in cart.restored):
            self._changed(cart)
        self._tell("cart.restored", cart.store, restored_data(cart, ref, self._clock.now()))

    def take_instead(self, cart: Cart, swaps: Iterable[tuple[str, str]]) -> None:
        """A hand-off names variants that the customer took instead of those in the cart."""
        if swap_lines(cart, swaps, self.catalogues[cart.store], self.stock):
            self._changed(cart)

    def _check_line(self, cart: Cart, line: Line) -> LineChange:
        variant = self.catalogues[cart.store].variants.get(line.variant_id)
        if variant is None:
            cart.lines.remove(line)
            return LineChange(line.name, "gone")
        available = self.stock(variant)
        if available < 1:
            cart.lines.remove(line)
            return LineChange(variant.name, "sold_out")
        if available < line.quantity:
            change = LineChange(variant.name, "fewer", line.quantity, available)
            line.quantity = available
            return change
        if variant.price != line.unit_price:
            return LineChange(variant.name, "price", line.unit_price, variant.price)
        return LineChange(variant.name, "kept")

    # --- orders --------------------------------------------------------------------------------------------------

    def place_order(self, cart: Cart) -> Order:
        """Turn a finished checkout into an order; the pieces leave the shelf."""
        catalogue = self.catalogues[cart.store]
        priced = self.priced(cart)
        method = catalogue.payment_method(cart.payment or "")
        if not (priced.lines and cart.email and cart.shipping and method):
            raise ValueError("an order needs lines, an address, a way of delivery and a way to pay")
        self._records.order_count += 1
        order = Order(
            order_id=new_id("O"),
            number=f"H-{1000 + self._records.order_count}",
            store=cart.store,
            quote_id=cart.quote_id,
            state="paid" if method.paid else "pending",
            placed_at=self._clock.now(),
            currency=catalogue.currency,
            total=priced.total,
            shipping=priced.shipping or 0,
            discount=priced.discount,
            lines=[
                OrderLine(
                    x.variant.id, x.variant.product_id, x.variant.name, x.quantity, x.row_total, x.variant.measure
                )
                for x in priced.lines
            ],
            email=cart.email,
            customer_id=cart.customer_id,
            payment=method.code,
            coupon=cart.coupon if priced.discount else None,
            ref=cart.ref,
        )
        if order.coupon in self._records.coupons:
            self._records.coupons[order.coupon].order_id = order.order_id
        cart.status = "ordered"
        self._records.orders[order.order_id] = order
        self._move_stock(order, 1)
        self._send_order("order.placed", order)
        self._send_stock(order)
        return order

    def cancel_order(self, order: Order) -> None:
        """Cancel an order that is not cancelled yet; the pieces go back on the shelf."""
        if order.state == "cancelled":
            return
        order.state = "cancelled"
        self._records.free_coupon_of(order.order_id)
        order.version += 1
        self._move_stock(order, -1)
        self._send_order("order.cancelled", order)
        self._send_stock(order)

    def reopen(self, order: Order) -> Cart | None:
        """Give a cancelled order's cart back to the shopper."""
        cart = self.cart(order.quote_id)
        if cart is None or order.state != "cancelled" or cart.status != "ordered":
            return None
        cart.status = "open"
        self._changed(cart)
        return cart

    # --- telling Cartback ----------------------------------------------------------------------------------------

    def _own(self, cart: Cart, customer: Customer) -> None:
        cart.customer_id, cart.email = customer.id, customer.email
        cart.consent = self._records.consents.get(customer.id)

    def _changed(self, cart: Cart) -> None:
        catalogue = self.catalogues[cart.store]
        cart.activity_at = self._clock.now()
        cart.version += 1
        for line in cart.lines:
            if line.variant_id in catalogue.variants:
                line.unit_price = catalogue.variants[line.variant_id].price
        if cart.customer_id and cart.consent:
            self._records.consents[cart.customer_id] = cart.consent
        orders = len(self.orders_of(cart.customer_id)) if cart.customer_id else 0
        at = self._addresses[cart.store]
        self._tell("cart.updated", cart.store, cart_data(cart, self.priced(cart), catalogue, at, orders))

    def _tell_consent(self, cart: Cart) -> None:
        if cart.email and cart.consent:
            self._tell("consent.updated", cart.store, consent_data(cart.email, cart.customer_id, cart.consent))

    def _send_order(self, type_: str, order: Order) -> None:
        self._tell(
            type_, order.store, order_data(order, self.catalogues[order.store].language, self._addresses[order.store])
        )

    def _send_stock(self, order: Order) -> None:
        touched = {line.variant_id for line in order.lines}
        for store in self.catalogues:
            catalogue, at = self.catalogues[store], self._addresses[store]
            products = list(stock_entries(touched, catalogue, at, self.stock))
            if products:
                self._tell("product.updated", store, {"products": products})

    def _move_stock(self, order: Order, sign: int) -> None:
        for line in order.lines:
            self._records.sold[line.variant_id] = self._records.sold.get(line.variant_id, 0) + sign * line.quantity

    def _tell(self, type_: str, store: str, data: dict[str, object]) -> None:
        # The shop's own file first: a hook about something the shop forgot would be worse than a late hook.
        self._save()
        self._sender.send(type_, store, self._clock.now(), data)

    def _save(self) -> None:
        save_records(self._path, self._records)
