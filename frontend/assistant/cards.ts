/** Products beside an answer, side by side; a variant of something in the cart can be taken in its place. */

import { button, element, type Labels, picture, webAddress } from "./dom.ts";
import type { Card } from "./frames.ts";

/** What a card has to know of the cart. */
export interface InCart {
  /** The product that stands in the cart's line of `product` now; none if there is no such line. */
  standsFor(product: string): string | undefined;
  take(line: string, product: string): void;
}

export function cardItem(card: Card, labels: Labels, cart: InCart): HTMLLIElement {
  const item = element("li", "card");
  const url = webAddress(card.url);
  const box = url ? element("a") : element("div");
  if (url) Object.assign(box, { href: url, rel: "noreferrer", target: "_blank" });
  const image = webAddress(card.image);
  if (image) box.append(picture(image, 168));
  const name = element("strong", "", card.name);
  name.dir = "auto";
  box.append(name, element("span", "price", card.price));
  if (card.why) box.append(element("small", "", card.why));
  box.append(
    element(
      "small",
      card.in_stock ? "stock" : "stock none",
      labels(card.in_stock ? "in_stock" : "out_of_stock"),
    ),
  );
  item.append(box, ...instead(card, labels, cart));
  return item;
}

function instead(card: Card, labels: Labels, cart: InCart): Node[] {
  const stands = card.instead_of && cart.standsFor(card.instead_of);
  if (!stands) return [];
  if (stands === card.id) return [element("span", "taken", labels("in_cart"))];
  const take = button("take", labels("take"), () => {
    take.disabled = true;
    cart.take(stands, card.id);
  });
  // Several buttons say the same: who hears them needs to know which is which.
  take.ariaLabel = `${labels("take")}: ${card.name}`;
  return [take];
}
