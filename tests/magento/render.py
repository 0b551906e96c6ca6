"""The fake shop's answers, in the shapes of Magento's REST interface as they were recorded."""

import json
from decimal import Decimal
from typing import Any

from tests.magento.state import BASE, SHIPPING, TAX, VIEWS, Order, Product, Quote, State, View, cents

Document = dict[str, Any]


def number(value: Decimal) -> float:
    return float(value)


def visible(quote: Quote) -> list[Any]:
    """The rows Magento shows: those of disabled or deleted products are hidden."""
    return [line for line in quote.lines if line.product.status == 1]


def store_configs(base: str) -> list[Document]:
    """GET store/storeConfigs."""
    found = []
    for view in VIEWS:
        secure = {f"{secure}base_{kind}": base + path for secure in ("", "secure_") for kind, path in _ADDRESSES}
        found.append(
            {
                "id": view.id, "code": view.code, "website_id": 1, "locale": view.locale, "base_currency_code": BASE,
                "default_display_currency_code": view.currency, "timezone": view.timezone, "weight_unit": "kgs",
            }
            | secure
        )  # fmt: skip
    return found


_ADDRESSES = (("url", "/"), ("link_url", "/"), ("static_url", "/static/version1/"), ("media_url", "/media/"))


def store_views() -> list[Document]:
    """GET store/storeViews, the admin's among them."""
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0, "is_active": 1}
    mine = [
        {"id": view.id, "code": view.code, "name": view.name, "website_id": 1, "store_group_id": 1, "is_active": 1}
        for view in VIEWS
    ]
    return [mine[0], admin, *mine[1:]]


def cart(state: State, quote: Quote, *, store_id: int | None = None, saved: bool = False) -> Document:
    """One cart; ``store_id`` is what the path made of it, ``saved`` says that this very read saved it."""
    view = state.view(quote.store_id)
    items = [_cart_item(line, quote) for line in visible(quote)] if quote.is_active else None
    extension = {"shipping_assignments": _shipping(quote, items or [])} if quote.is_active else None
    if saved and extension and extension["shipping_assignments"]:
        # What was just recollected carries the discounts of its shipping along.
        extension["shipping_assignments"][0]["shipping"]["address"]["extension_attributes"] = {"discounts": []}
    told = {
        "id": quote.id,
        "created_at": quote.created_at,
        "updated_at": None if saved else quote.updated_at,
        "is_active": quote.is_active,
        "is_virtual": quote.is_virtual,
        "items": items,
        "items_count": len(quote.lines),
        "items_qty": sum(line.qty for line in quote.lines),
        "customer": _customer(quote),
        "billing_address": _address(quote, quote.billing, 2 * quote.id - 1),
        "reserved_order_id": quote.reserved_order_id,
        "orig_order_id": 0,
        "currency": {
            "global_currency_code": BASE, "base_currency_code": BASE, "store_currency_code": BASE,
            "quote_currency_code": view.currency, "store_to_base_rate": 0, "store_to_quote_rate": 0,
            "base_to_global_rate": 1, "base_to_quote_rate": number(view.rate),
        },
        "customer_is_guest": quote.customer is None and not quote.customer_deleted,
        "customer_note_notify": True,
        "customer_tax_class_id": 3,
        "store_id": store_id or quote.store_id,
        "extension_attributes": extension,
    }  # fmt: skip
    return without_nulls(told, "updated_at", "items", "reserved_order_id", "extension_attributes")


def without_nulls(document: Document, *names: str) -> Document:
    """Magento leaves out what its interface marks as nullable, and writes null for the rest."""
    return {name: value for name, value in document.items() if value is not None or name not in names}


def _cart_item(line: Any, quote: Quote) -> Document:
    shown = line.parent or line.product
    return {
        "item_id": line.item_id, "sku": line.product.sku, "qty": line.qty, "name": shown.name(quote.store_id),
        "price": number(cents(line.product.final / TAX)), "product_type": shown.type_id, "quote_id": str(quote.id),
    }  # fmt: skip


def _shipping(quote: Quote, items: list[Document]) -> list[Document]:
    if quote.is_virtual or not quote.lines:
        return []
    address = _address(quote, quote.shipping, 2 * quote.id)
    return [{"shipping": {"address": address, "method": quote.shipping_method}, "items": items}]


def _address(quote: Quote, told: Document, address_id: int) -> Document:
    known = {name: value for name, value in told.items() if name not in {"email", "same_as_billing"}}
    mine = quote.customer["id"] if quote.customer else 2 if quote.customer_deleted else None
    # GraphQL's setGuestEmailOnCart shows here too, though the row of the address has none.
    email = told["email"] or quote.customer_email
    document = {"id": address_id} | known | {
        "customer_id": mine, "email": email, "same_as_billing": told.get("same_as_billing", 0),
        "customer_address_id": 1 if quote.prefilled else None, "save_in_address_book": 0,
    }  # fmt: skip
    return without_nulls(document, "customer_id", "customer_address_id")


def _customer(quote: Quote) -> Document:
    if quote.customer is None:
        return {"email": None, "firstname": None, "lastname": None}
    told = quote.customer
    region = {"region_code": "PL-14", "region": "mazowieckie", "region_id": 1017}
    home = {
        "id": 1, "customer_id": told["id"], "region": region, "region_id": 1017, "country_id": "PL",
        "street": ["ul. Probna 2"], "telephone": "600000001", "postcode": "00-002", "city": "Warszawa",
        "firstname": "John", "lastname": "Sample", "default_shipping": True, "default_billing": True,
    }  # fmt: skip
    return {
        "id": told["id"], "group_id": 1, "default_billing": "1", "default_shipping": "1",
        "created_at": quote.created_at, "updated_at": quote.created_at, "created_in": "Polski", "email": told["email"],
        "firstname": "John", "lastname": "Sample", "store_id": quote.store_id, "website_id": 1, "addresses": [home],
        "disable_auto_group_change": 0, "extension_attributes": {"is_subscribed": told["subscribed"]},
    }  # fmt: skip


def sums(state: State, quote: Quote) -> dict[str, Any]:
    """The money of a cart per line and in all, in display currency (``quote``) and in base currency (``base``)."""
    view = state.view(quote.store_id)
    lines = []
    for line in quote.lines:
        unit = line.product.final
        one: dict[str, Any] = {"line": line}
        for name, rate in (("quote", view.rate), ("base", Decimal(1))):
            incl = cents(unit * rate) * line.qty
            net = cents(cents(unit / TAX) * rate) * line.qty
            off = cents(net * quote.discount / 100)
            tax = cents((incl - net) * (100 - quote.discount) / 100)
            one[name] = {"incl": incl, "net": net, "off": off, "tax": tax}
        lines.append(one)
    found: dict[str, Any] = {"lines": lines}
    shipping = SHIPPING if quote.shipping_method else Decimal(0)
    for name, rate in (("quote", view.rate), ("base", Decimal(1))):
        whole = {key: sum((one[name][key] for one in lines), Decimal(0)) for key in ("incl", "net", "off", "tax")}
        whole["shipping"] = cents(shipping * rate)
        whole["total"] = whole["incl"] + whole["shipping"] - whole["off"]
        found[name] = whole
    return found


def totals(state: State, quote: Quote, language: int) -> Document:
    """GET carts/:id/totals; the labels of options are in the language of the path."""
    view, found = state.view(quote.store_id), sums(state, quote)
    here, base = found["quote"], found["base"]
    told: Document = {"grand_total": here["total"], "base_grand_total": base["total"]}
    for prefix, sum_ in (("", here), ("base_", base)):
        told |= {f"{prefix}subtotal": sum_["net"], f"{prefix}discount_amount": -sum_["off"]}
        told[f"{prefix}subtotal_with_discount"] = sum_["net"] - sum_["off"]
        told |= {f"{prefix}shipping_amount": sum_["shipping"], f"{prefix}shipping_discount_amount": Decimal(0)}
        told |= {f"{prefix}tax_amount": sum_["tax"], f"{prefix}shipping_tax_amount": Decimal(0)}
        told[f"{prefix}shipping_incl_tax"] = sum_["shipping"]
    document: Document = {name: number(value) for name, value in told.items()}
    hidden = {line.item_id for line in quote.lines} - {line.item_id for line in visible(quote)}
    document |= {
        "subtotal_incl_tax": number(here["incl"]),
        "weee_tax_applied_amount": None,
        "base_currency_code": BASE,
        "quote_currency_code": view.currency,
        "items_qty": sum(line.qty for line in quote.lines),
        "items": [_total_item(one, quote, language) for one in found["lines"] if one["line"].item_id not in hidden],
        "total_segments": _segments(quote, here),
    }
    if quote.is_virtual:
        document["base_subtotal_incl_tax"] = number(base["incl"])
    if quote.coupon:
        document |= {"coupon_code": quote.coupon, "extension_attributes": {"coupon_label": "Recovery discount"}}
    return document


def _total_item(one: dict[str, Any], quote: Quote, language: int) -> Document:
    line, here, base = one["line"], one["quote"], one["base"]
    labels = {"Size": "Rozmiar", "Color": "Kolor"} if language == 2 else {}
    options = [{"value": value, "label": labels.get(label, label)} for label, value in line.product.options]
    net = number(cents(line.product.final / TAX))
    return {
        "item_id": line.item_id, "price": net, "base_price": net, "qty": line.qty,
        "row_total": number(here["net"]), "base_row_total": number(base["net"]), "row_total_with_discount": 0,
        "tax_amount": number(here["tax"]), "base_tax_amount": number(base["tax"]), "tax_percent": 23,
        "discount_amount": number(here["off"]), "base_discount_amount": number(base["off"]),
        "discount_percent": quote.discount,
        "price_incl_tax": number(here["incl"] / line.qty), "base_price_incl_tax": number(base["incl"] / line.qty),
        "row_total_incl_tax": number(here["incl"]), "base_row_total_incl_tax": number(base["incl"]),
        "options": json.dumps(options, separators=(",", ":")) if line.parent else "[]",
        "weee_tax_applied_amount": None, "weee_tax_applied": None,
        "name": (line.parent or line.product).name(quote.store_id),
    }  # fmt: skip


def _segments(quote: Quote, here: dict[str, Decimal]) -> list[Document]:
    rates = [{"percent": "23", "title": "VAT 23%"}]
    details = [{"amount": number(here["tax"]), "rates": rates, "group_id": 1}]
    discount = {"code": "discount", "title": "Discount (Recovery discount)", "value": number(-here["off"])}
    return [
        {"code": "subtotal", "title": "Subtotal", "value": number(here["net"])},
        *([discount] if quote.coupon else []),
        {"code": "shipping", "title": "Shipping & Handling", "value": number(here["shipping"])},
        {"code": "tax", "title": "Tax", "value": number(here["tax"]),
         "extension_attributes": {"tax_grandtotal_details": details}},
        {"code": "grand_total", "title": "Grand Total", "value": number(here["total"]), "area": "footer"},
    ]  # fmt: skip


def order(state: State, placed: Order) -> Document:
    """One order, with the fields a client may need."""
    view, found = state.view(placed.quote.store_id), placed.totals
    here, base = found["quote"], found["base"]
    customer = placed.quote.customer
    refunded = number(here["total"]) if placed.refunded else None
    canceled = number(here["total"]) if placed.state == "canceled" else None
    told = {
        "base_currency_code": BASE, "base_discount_amount": number(-base["off"]),
        "base_grand_total": number(base["total"]), "coupon_code": placed.coupon, "created_at": placed.created_at,
        "customer_email": placed.email, "customer_group_id": 1 if customer else 0,
        "customer_id": customer["id"] if customer else None, "customer_is_guest": 0 if customer else 1,
        "discount_amount": number(-here["off"]), "entity_id": placed.id, "grand_total": number(here["total"]),
        "increment_id": f"{placed.id:09d}", "order_currency_code": view.currency, "quote_id": placed.quote.id,
        "shipping_amount": number(here["shipping"]), "state": placed.state, "status": placed.status,
        "store_id": placed.quote.store_id, "subtotal": number(here["net"]), "subtotal_incl_tax": number(here["incl"]),
        "tax_amount": number(here["tax"]), "total_canceled": canceled, "total_refunded": refunded,
        "updated_at": placed.updated_at, "items": _order_items(state, placed),
        "billing_address": {name: placed.quote.billing[name] for name in ("telephone", "postcode")},
    }  # fmt: skip
    return without_nulls(told, "coupon_code", "customer_id", "total_canceled", "total_refunded")


def _order_items(state: State, placed: Order) -> list[Document]:
    found: list[Document] = []
    for one in placed.totals["lines"]:
        line, here = one["line"], one["quote"]
        row = {
            "item_id": len(found) + 1, "name": (line.parent or line.product).name(placed.quote.store_id),
            "order_id": placed.id, "price": number(here["net"] / line.qty),
            "price_incl_tax": number(here["incl"] / line.qty), "product_id": (line.parent or line.product).id,
            "product_type": (line.parent or line.product).type_id, "qty_ordered": line.qty,
            "quote_item_id": line.item_id, "row_total": number(here["net"] - here["off"]),
            "row_total_incl_tax": number(here["incl"] - here["off"]), "discount_amount": number(here["off"]),
            "sku": line.product.sku, "store_id": placed.quote.store_id, "tax_amount": number(here["tax"]),
            "base_discount_amount": number(one["base"]["off"]), "created_at": placed.created_at,
            "updated_at": placed.updated_at,
        }  # fmt: skip
        found.append(row)
        if line.parent:
            child = row | {
                "item_id": len(found) + 1, "parent_item_id": row["item_id"], "product_id": line.product.id,
                "product_type": "simple", "name": line.product.name(0), "price": 0, "row_total": 0,
                "discount_amount": 0,
            }  # fmt: skip
            found.append({name: v for name, v in child.items() if not name.endswith("_incl_tax")})
    return found


def product(state: State, item: Product, store_id: int) -> Document:
    """One product in the language of a store view."""
    extension: Document = {"website_ids": [1], "category_links": [{"position": 0, "category_id": "2"}]}
    if item.children:
        options = [{"id": 1, "attribute_id": "137", "label": "Size", "position": 0,
                    "values": [{"value_index": 5}], "product_id": item.id}]  # fmt: skip
        extension |= {"configurable_product_options": options, "configurable_product_links": list(item.children)}
    file = f"/{item.sku[0].lower()}/{item.sku[1].lower()}/{item.sku.lower()}.png"
    links = [
        {"sku": item.sku, "link_type": kind, "linked_product_sku": sku,
         "linked_product_type": state.product(sku).type_id, "position": position + 1}
        for position, (kind, sku) in enumerate(item.links)
        if any(one.sku == sku for one in state.products.values())
    ]  # fmt: skip
    media = [{"id": item.id, "media_type": "image", "label": item.name(0), "position": 1, "disabled": False,
              "types": ["image", "small_image", "thumbnail"], "file": file}]  # fmt: skip
    attributes = {"image": file, "url_key": _url_key(item), "tax_class_id": "2", "category_ids": ["2"],
                  "short_description": "<p>Short text.</p>",
                  "description": f"<p>{item.name(store_id)}.</p>"}  # fmt: skip
    return {
        "id": item.id, "sku": item.sku, "name": item.name(store_id), "attribute_set_id": 4,
        "price": 0 if item.children else number(item.price), "status": item.status, "visibility": item.visibility,
        "type_id": item.type_id, "created_at": "2026-11-23 06:18:23", "updated_at": item.updated_at, "weight": 0.8,
        "extension_attributes": extension, "product_links": links, "options": [],
        "media_gallery_entries": [] if item.visibility == 1 else media, "tier_prices": [],
        "custom_attributes": [{"attribute_code": name, "value": value} for name, value in attributes.items()],
    }  # fmt: skip


def _url_key(item: Product) -> str:
    return item.name(0).lower().replace(" ", "-").replace("(", "").replace(")", "")


def render_info(state: State, item: Product, view: View, currency: str, base: str) -> Document | None:
    """GET products-render-info lists what a visitor can open: nothing hidden, disabled or sold out."""
    if item.status != 1 or item.visibility == 1 or not item.in_stock:
        return None
    rate = view.rate if currency == view.currency else Decimal(1)
    variants = [state.products[child] for child in item.children if child in state.products] or [item]
    prices = [variant.final * rate for variant in variants]
    regular = [variant.price * rate for variant in variants]
    info: Document = {
        "final_price": number(min(prices)), "max_price": number(max(prices)), "max_regular_price": number(max(regular)),
        "minimal_regular_price": number(min(regular)), "special_price": None, "minimal_price": number(min(prices)),
        "regular_price": number(min(regular)), "formatted_prices": {}, "extension_attributes": {},
    }  # fmt: skip
    picture = f"{base}/media/catalog/product/cache/1/{item.sku.lower()}.png"
    images = [{"url": picture, "code": "recently_viewed_products_grid_content_widget", "height": 300, "width": 240,
               "label": item.name(0), "resized_width": 240, "resized_height": 300}]  # fmt: skip
    return {
        "add_to_cart_button": {}, "add_to_compare_button": {}, "price_info": info, "images": images,
        "url": f"{base}/{_url_key(item)}.html", "id": item.id, "name": item.name(view.id), "type": item.type_id,
        "is_salable": "1", "store_id": view.id, "currency_code": currency, "extension_attributes": {},
    }  # fmt: skip
