/** The cart that is always in sight: the server's HTML first, drawn anew when a variant was taken. */

import { copied } from "./copy.ts";
import { button, byId, element, type Labels, picture, say, webAddress } from "./dom.ts";
import type { Coupon, Line } from "./frames.ts";

const THUMBS = 3;
/** A timer holds no more than this; then the end is looked at again. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface CartPanel {
  /** The product that stands in the line of `product` now, which may have been taken for another. */
  standsFor(product: string): string | undefined;
  /** `total` is null where only the shop can tell it. */
  draw(lines: Line[], total: string | null): void;
  /** The coupon to copy, or none; it goes away at its end. */
  coupon(coupon: Coupon | null, live: boolean): void;
}

export function cartPanel(labels: Labels, take: (line: string, product: string) => void): CartPanel {
  const list = byId("lines");
  const panel = byId<HTMLDetailsElement>("cart");
  let ending = 0;

  list.onclick = (event) => {
    const undo = (event.target as Element).closest<HTMLButtonElement>(".undo");
    const { id, was } = undo?.closest("li")?.dataset ?? {};
    if (!undo || !id || !was) return;
    undo.disabled = true;
    take(id, was);
  };
  for (const image of panel.querySelectorAll("img")) {
    if (image.complete && image.naturalWidth === 0) image.remove();
    else image.onerror = () => image.remove();
  }
  panel.open = matchMedia("(min-width: 60rem)").matches;

  return {
    standsFor(product) {
      const lines = [...list.children] as HTMLElement[];
      return lines.find(({ dataset: { id, was } }) => id === product || was === product)?.dataset.id;
    },
    draw(lines, total) {
      const focused = list.contains(document.activeElement) ? [...list.children].findIndex(holdsFocus) : -1;
      list.replaceChildren(...lines.map((line) => lineItem(line, labels)));
      // Whoever was in a line is in it still, or at the cart if there is nothing to press any more.
      if (focused >= 0)
        (
          list.children[focused]?.querySelector<HTMLElement>("a,button") ?? panel.querySelector("summary")
        )?.focus();
      byId("count").textContent = `(${lines.length})`;
      for (const place of panel.querySelectorAll("[data-total]"))
        place.textContent = total ?? labels("cart_total_unknown");
      const pictures = lines.map((line) => webAddress(line.image)).filter(Boolean);
      byId("thumbs").replaceChildren(...pictures.slice(0, THUMBS).map((url) => picture(url, 40)));
    },
    coupon(coupon, live) {
      clearTimeout(ending);
      const left = coupon ? Date.parse(coupon.expires_at) - Date.now() : 0;
      const place = byId("coupon");
      place.hidden = left <= 0;
      const shown = coupon && left > 0 ? coupon.code : "";
      if (shown) ending = window.setTimeout(() => this.coupon(coupon, false), Math.min(left, LONGEST_TIMER));
      // Told again, it stays as it is: somebody may be about to copy it.
      if (shown === place.dataset.code) return;
      place.dataset.code = shown;
      place.replaceChildren(...(coupon && shown ? couponChip(coupon, labels) : []));
      if (live && coupon && shown) say(labels("coupon", { percent: String(coupon.percent) }));
    },
  };
}

const holdsFocus = (line: Element): boolean => line.contains(document.activeElement);

function couponChip({ code, percent, expires_at }: Coupon, labels: Labels): Node[] {
  const copy = button("", labels("copy"), () => copied(code, copy, labels));
  const date = new Date(expires_at).toLocaleString(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return [
    element("strong", "code", code),
    element("span", "", labels("coupon", { percent: String(percent) })),
    element("small", "", labels("coupon_until", { date })),
    copy,
  ];
}

function lineItem(line: Line, labels: Labels): HTMLElement {
  const item = element("li");
  item.dataset.id = line.product_id;
  const image = webAddress(line.image);
  if (image) item.append(picture(image, 56));
  const what = element("span", "what");
  const title = element("span");
  const url = webAddress(line.url);
  const name = element(url ? "a" : "bdi", "", line.name);
  if (url) Object.assign(name, { href: url, rel: "noreferrer", dir: "auto" });
  title.append(line.quantity === "1" ? "" : `${line.quantity} × `, name);
  what.append(title);
  if (line.options) what.append(element("small", "", line.options));
  if (!line.in_stock) what.append(element("small", "stock none", labels("out_of_stock")));
  if (line.was) {
    item.dataset.was = line.was;
    what.append(button("plain undo", labels("undo")));
  }
  const money = element("span", "money", line.total ?? labels("cart_total_unknown"));
  item.append(what, money);
  return item;
}
