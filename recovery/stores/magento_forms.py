"""What Magento's own add-to-cart form is told of a line: the chosen variant and the customer's own options."""

from typing import Any

from recovery.stores.magento_reading import listed, mapped, text

#: Of other kinds (bundles, grouped and downloadable products) the form needs more than a cart tells.
PLAIN_KINDS = frozenset({"simple", "virtual", "configurable"})


def fields_of(item: dict[str, Any]) -> dict[str, str] | None:
    """The fields of one row of ``carts/:id/items``; None where they can't be told."""
    kind = text(item.get("product_type"))
    if kind not in PLAIN_KINDS:
        return None
    chosen = mapped(mapped(item.get("product_option")).get("extension_attributes"))
    fields = _named("super_attribute", chosen.get("configurable_item_options"))
    if kind == "configurable" and not fields:
        return None
    return fields | _named("options", chosen.get("custom_options"))


def _named(name: str, chosen: Any) -> dict[str, str]:
    pairs = [(text(mapped(one).get("option_id")), text(mapped(one).get("option_value"))) for one in listed(chosen)]
    return {f"{name}[{option}]": value for option, value in pairs if option and value}
