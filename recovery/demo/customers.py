"""The registered customers of the demo shop, with the orders they placed before."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PastOrder:
    """An order of a customer before the demo began."""

    days_ago: int
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Customer:
    """A person with an account at one store."""

    id: str
    store: str
    first_name: str
    last_name: str
    email: str
    past_orders: tuple[PastOrder, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


_RETURNING = (
    PastOrder(210, (("borowik-moss-m", 1), ("socks-39-41", 2))),
    PastOrder(64, (("wetlina-graphite-m", 1),)),
)

CUSTOMERS: dict[str, Customer] = {
    customer.id: customer
    for customer in (
        Customer("c-101", "en", "Robin", "Hartley", "robin.hartley@example.com", _RETURNING),
        Customer("c-102", "en", "Sam", "Okafor", "sam.okafor@example.com"),
        Customer("c-201", "pl", "Magda", "Zielińska", "magda.zielinska@example.com", _RETURNING),
        Customer("c-202", "pl", "Tomek", "Wrona", "tomek.wrona@example.com"),
    )
}


def customers_of(store: str) -> list[Customer]:
    """The accounts of one store, in the order they are offered."""
    return [customer for customer in CUSTOMERS.values() if customer.store == store]
