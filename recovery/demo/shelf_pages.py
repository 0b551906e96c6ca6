"""Pages to look around: the list, a product, help with policies and sizes, pictures."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from recovery.demo.catalogue.model import Catalogue, Product, Variant
from recovery.demo.storefront import Guest, Storefront


class ShelfPages:
    """Everything a shopper sees before something is in the cart."""

    def __init__(self, front: Storefront, pictures: Mapping[str, bytes]) -> None:
        self._front = front
        self._pictures = pictures

    def routes(self) -> list[Route]:
        return [
            Route("/shop/pictures/{name}.svg", self.picture),
            Route("/shop/{store}/", self.shelf),
            Route("/shop/{store}/product/{product_id}", self.product),
            Route("/shop/{store}/help", self.help),
        ]

    async def shelf(self, request: Request) -> Response:
        """All products, or one category's."""
        guest = self._front.guest(request)
        chosen = request.query_params.get("category")
        category = chosen if chosen in dict(guest.catalogue.categories) else None
        products = [item for item in guest.catalogue.products.values() if category in {None, item.category}]
        return self._front.page(guest, "list.html.jinja", {"products": products, "category": category})

    async def product(self, request: Request) -> Response:
        guest = self._front.guest(request)
        found = guest.catalogue.products.get(request.path_params["product_id"])
        if found is None:
            return self._front.page(guest, "not_found.html.jinja", status=404)
        return product_page(self._front, guest, found, request.query_params.get("choice"))

    async def help(self, request: Request) -> Response:
        return self._front.page(self._front.guest(request), "help.html.jinja")

    async def picture(self, request: Request) -> Response:
        drawn = self._pictures.get(request.path_params["name"])
        if drawn is None:
            return PlainTextResponse("There is no such picture.", 404)
        headers = {
            "Cache-Control": "public, max-age=3600",
            "Content-Security-Policy": "default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(drawn, media_type="image/svg+xml", headers=headers)


def product_page(
    front: Storefront, guest: Guest, product: Product, choice: str | None, *, error: str | None = None
) -> Response:
    """A product with the chosen colour shown; ``choice`` is a variant's id."""
    named = guest.catalogue.variants.get(choice or "")
    shown = named if named and named.product_id == product.id else product.variants[0]
    colours = _by_colour(product)
    values = {
        "product": product,
        "shown": shown,
        "chosen": named.id if named and named is shown else None,
        "colours": colours,
        "sizes": next(group for group in colours if shown in group),
        "guide": guest.catalogue.size_guides.get(product.size_guide or ""),
        "rows": _rows(product, guest.catalogue),
        "error": error,
    }
    return front.page(guest, "product.html.jinja", values, 422 if error else 200)


def _by_colour(product: Product) -> list[list[Variant]]:
    """The variants grouped by picture, for a picture shows one colour."""
    groups: dict[str, list[Variant]] = {}
    for variant in product.variants:
        groups.setdefault(variant.picture, []).append(variant)
    return list(groups.values())


def _rows(product: Product, catalogue: Catalogue) -> list[tuple[str, list[Product]]]:
    links = [("better", product.upsell), ("goes_with", product.crosssell), ("similar", product.related)]
    seen: set[str] = set()
    rows = []
    for key, ids in links:
        fresh = [catalogue.products[item] for item in ids if item not in seen]
        seen.update(item.id for item in fresh)
        if fresh:
            rows.append((key, fresh))
    return rows
