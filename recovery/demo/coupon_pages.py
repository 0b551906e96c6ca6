"""The shop's coupon call-back: takes the codes that Cartback makes and forgets those it withdraws."""

from datetime import datetime
from typing import Any

import orjson
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recovery.demo.cart_state import Coupon
from recovery.demo.shop import DemoShop


class CouponPages:
    """``POST /shop/coupons`` as docs/hooks.md describes it."""

    def __init__(self, shop: DemoShop, secret: str) -> None:
        self._shop = shop
        self._webhook = Webhook(secret)

    def routes(self) -> list[Route]:
        return [Route("/shop/coupons", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        try:
            self._webhook.verify(body, dict(request.headers), json_parse=False)
        except WebhookVerificationError:
            return Response(status_code=401)
        told: dict[str, Any] = orjson.loads(body)
        data = told["data"]
        if told["type"] == "coupon.withdraw":
            return Response(status_code=204 if self._shop.withdraw_coupon(data["code"]) else 404)
        coupon = Coupon(told["store"], data["percent"], datetime.fromisoformat(data["expires_at"]))
        return Response(status_code=201 if self._shop.take_coupon(data["code"], coupon) else 409)
