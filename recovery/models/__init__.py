"""Every table of the core, one module per noun; all of them belong to the one Tortoise app ``models``."""

from recovery.models.abandonment import Abandonment, Decision
from recovery.models.budget import LlmBudget, LlmReservation
from recovery.models.cart import Cart, CartItem, CartSwap
from recovery.models.coupon import Coupon, CouponBudget, CouponDecision, LoadedCode
from recovery.models.email import Email
from recovery.models.hook import HookDelivery, RejectedDelivery
from recovery.models.installation import Heartbeat, Installation, JobRun
from recovery.models.link import LinkToken, LinkVisit
from recovery.models.mail_event import ComplaintHold, EmailEvent, MailProvider
from recovery.models.notice import Notice
from recovery.models.order import Order
from recovery.models.person import ConsentRecord, Person, Suppression
from recovery.models.policy import Policy
from recovery.models.product import Product, ProductLink
from recovery.models.shop_page import ShopPage
from recovery.models.store import Connection, Store
from recovery.models.sync import SyncCart, SyncState
from recovery.models.webhook import WebhookEndpoint, WebhookMessage

__all__ = [
    "Abandonment",
    "Cart",
    "CartItem",
    "CartSwap",
    "ComplaintHold",
    "Connection",
    "ConsentRecord",
    "Coupon",
    "CouponBudget",
    "CouponDecision",
    "Decision",
    "Email",
    "EmailEvent",
    "Heartbeat",
    "HookDelivery",
    "Installation",
    "JobRun",
    "LinkToken",
    "LinkVisit",
    "LlmBudget",
    "LlmReservation",
    "LoadedCode",
    "MailProvider",
    "Notice",
    "Order",
    "Person",
    "Policy",
    "Product",
    "ProductLink",
    "RejectedDelivery",
    "ShopPage",
    "Store",
    "Suppression",
    "SyncCart",
    "SyncState",
    "WebhookEndpoint",
    "WebhookMessage",
]
