/**
 * The script on a Magento shop's own pages: puts a saved cart back into a guest's session by the shop's own forms, and
 * tells of the address that a guest types in the checkout. Texts come from the service; whatever fails, the page stays
 * as it was. Every byte counts: each visitor of the shop loads it (its size is tested).
 */

interface Line {
  name: string;
  sku: string;
  quantity: number;
  add: Record<string, string> | null;
  url: string | null;
}

interface Saved {
  registered: boolean;
  login: string | null;
  coupon: string | null;
  lines: Line[];
  language: string;
  texts: Record<string, string>;
}

/** A line of the message: words, and where they lead. */
type Row = [text: string, url?: string | null];

/** What is said once the cart page shows the new cart; kept over its reload. */
interface Report {
  token: string;
  saved: Saved;
  title: string;
  rows: Row[];
  code?: string | undefined;
  /** Whether the saved cart is in the session now. */
  back: boolean;
}

const KEPT = "cartback";
const tag = document.currentScript as HTMLScriptElement;
const base = new URL(".", tag.src).href + tag.dataset.shop;

/** Plain text needs no question before it; nothing of the visitor goes along but what is in it. */
const tell = (what: string, body: unknown) =>
  fetch(`${base}/${what}`, {
    method: "POST",
    body: JSON.stringify(body),
    credentials: "omit",
    keepalive: true,
  });

const here = new URL(location.href);
const token = here.searchParams.get(KEPT);
if (token) {
  here.searchParams.delete(KEPT);
  history.replaceState(history.state, "", here);
}
const root = here.pathname.split("checkout/")[0] ?? "/";

const load = async (path: string) => {
  const answer = await fetch(root + path, { headers: { "X-Requested-With": "XMLHttpRequest" } });
  return answer.ok ? answer : Promise.reject(answer.status);
};

const formKey = () =>
  /(?:^|; )form_key=([^;]+)/.exec(document.cookie)?.[1] ??
  document.querySelector<HTMLInputElement>("input[name=form_key]")?.value ??
  "";

const post = (path: string, fields: Record<string, string>) =>
  fetch(root + path, {
    method: "POST",
    headers: { "X-Requested-With": "XMLHttpRequest" },
    body: new URLSearchParams({ ...fields, form_key: formKey() }),
  });

const cartPage = async () =>
  new DOMParser().parseFromString(await (await load("checkout/cart/")).text(), "text/html");

const codeIn = (page: Document) => page.querySelector<HTMLInputElement>("#coupon_code")?.value;

/** Whether somebody is logged in, and how much of each SKU is in the session's cart. */
const session = async () => {
  const { cart, customer } = await (await load("customer/section/load?sections=cart,customer")).json();
  const has = new Map<string, number>();
  const count = (sku: string, more: number) => has.set(sku, (has.get(sku) ?? 0) + more);
  const items: { product_sku: string; qty: number }[] = cart?.items ?? [];
  let sum = 0;
  for (const item of items) sum += +item.qty;
  // The list is cut where the mini cart is full; then only the cart page has all of it.
  if (items.length > 9 || ![items.length, sum].includes(+(cart?.summary_count || 0))) {
    const rows = [...(await cartPage()).querySelectorAll<HTMLInputElement>("input[data-cart-item-id]")];
    if (!rows.length) throw 0;
    for (const row of rows) count(row.dataset.cartItemId as string, +row.value);
  } else {
    for (const item of items) count(item.product_sku, +item.qty);
  }
  return { user: !!(customer?.fullname || customer?.firstname), has };
};

/** Text only: names come from the shop's catalogue, which others may have written. */
const element = (name: string, text = "", parent?: Element) => {
  const made = document.createElement(name);
  made.textContent = text;
  parent?.append(made);
  return made;
};

const show = ({ token, saved, title, rows, code, back }: Report) => {
  const words = saved.texts;
  const box = element("div");
  box.id = KEPT;
  box.lang = saved.language;
  box.setAttribute("role", "status");
  box.style.cssText =
    "margin:1em 0;padding:1em;border:1px solid #767676;background:#fff;color:#1a1a1a;position:relative";
  (document.querySelector("#maincontent,main") ?? document.body).prepend(box);
  element("strong", title, box);
  const list = element("ul", "", box);
  for (const [text, url] of rows) {
    const link = element(url ? "a" : "span", text, element("li", "", list));
    if (url) (link as HTMLAnchorElement).href = url;
  }
  if (!rows.length) list.remove();
  if (code) {
    const now = codeIn(document);
    const same = now && now.toLowerCase() === code.toLowerCase();
    element("p", (same ? words.coupon_in : now ? words.coupon_own : words.coupon_out) ?? "", box);
  }
  const close = element("button", words.close, box);
  (close as HTMLButtonElement).type = "button";
  close.onclick = () => box.remove();
  // A mail scanner that runs scripts touches nothing: only then was it a person who got the cart back.
  const events = ["pointerdown", "keydown"];
  const touched = () => {
    for (const event of events) removeEventListener(event, touched, true);
    tell("restored", { token }).catch(() => {});
  };
  if (back) for (const event of events) addEventListener(event, touched, true);
};

const restore = async (token: string) => {
  const saved: Saved = await tell("cart", { token }).then((answer) =>
    answer.ok ? answer.json() : Promise.reject(answer.status),
  );
  const { lines, texts, coupon } = saved;
  const links = lines.map(({ name, url }): Row => [name, url]);
  const say = (title = "", rows: Row[] = []) => show({ token, saved, title, rows, back: false });
  let { user, has } = await session();
  if (saved.registered)
    return user ? say(texts.account) : say(texts.log_in, [[texts.log_in_link ?? "", saved.login]]);
  if (user) return say(texts.other, links);

  // What is there in any quantity is the customer's own business.
  const missing = lines.filter((line) => !has.has(line.sku));
  if (missing.length) {
    let asked = missing.filter((line) => line.add).map((line) => ({ line, qty: line.quantity }));
    // Magento refuses a quantity that is not in stock as a whole: then less is asked for.
    while (asked.length) {
      for (const { line, qty } of asked)
        await post("checkout/cart/add", { ...line.add, qty: `${qty}` }).catch(() => {});
      has = (await session()).has;
      asked = asked
        .filter(({ line, qty }) => !has.has(line.sku) && qty > 1)
        .map(({ line, qty }) => ({ line, qty: qty >> 1 }));
    }
  }
  if (coupon && has.size) {
    const code = codeIn(await cartPage());
    // In a theme without the field nobody knows whether there is a code, and a second one would push the first out.
    if (code === "") await post("checkout/cart/couponPost", { coupon_code: coupon, remove: "0" });
  }
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of missing) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  const rows = missing.flatMap(({ name, sku, url, add }): Row[] => {
    const [got, all] = [has.get(sku) ?? 0, wanted.get(sku) ?? 0];
    if (got >= all) return [];
    const why = got
      ? texts.line_partly?.replace("{got}", `${got}`).replace("{wanted}", `${all}`)
      : add
        ? texts.line_gone
        : texts.line_choose;
    return [[`${name}: ${why}`, url]];
  });
  const back = lines.some((line) => has.has(line.sku));
  const title = !missing.length ? texts.here : !rows.length ? texts.whole : back ? texts.part : texts.none;
  const report: Report = { token, saved, title: title ?? "", rows, code: coupon ?? undefined, back };
  sessionStorage.setItem(KEPT, JSON.stringify(report));
  location.replace(here);
};

/** Two tabs of one browser have one cart: each waits for the other, and then finds nothing missing. */
const alone = (work: () => Promise<void>) => (navigator.locks ? navigator.locks.request(KEPT, work) : work());

const start = () => {
  const kept = sessionStorage.getItem(KEPT);
  if (token) {
    alone(() => restore(token)).catch(() => location.replace(`${base}/saved?${KEPT}=${token}`));
  } else if (kept) {
    sessionStorage.removeItem(KEPT);
    show(JSON.parse(kept));
  }
};

interface CheckoutConfig {
  isCustomerLoggedIn?: boolean;
  quoteData?: { entity_id?: string };
}

/** The address that a guest typed, and the box that the merchant named; only what is ticked is told. */
const watch = () => {
  const find = (selector: string | undefined) =>
    selector ? document.querySelector<HTMLInputElement>(selector) : null;
  let last = "";
  addEventListener("change", () => {
    const config = (window as { checkoutConfig?: CheckoutConfig }).checkoutConfig;
    const cart = config?.quoteData?.entity_id;
    const field = find(tag.dataset.email ?? "#customer-email");
    if (!cart || config?.isCustomerLoggedIn || !field?.value.includes("@") || !field.checkValidity()) return;
    const box = find(tag.dataset.consent);
    const consent = box?.checked ? (box.labels?.[0]?.textContent?.trim() ?? "") : "";
    const told = JSON.stringify({ cart, email: field.value.trim(), consent });
    if (told === last) return;
    last = told;
    tell("contact", JSON.parse(told)).catch(() => {});
  });
};

if (tag.dataset.shop) {
  watch();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
}
