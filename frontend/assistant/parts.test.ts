import { beforeEach, describe, expect, it, vi } from "vitest";
import { offerAgain } from "./again.ts";
import { cartPanel } from "./cart.ts";
import { openComposer } from "./composer.ts";
import { labelsOf } from "./dom.ts";
import type { Line } from "./frames.ts";

const labels = labelsOf({
  undo: "Undo",
  send: "Send",
  stop: "Stop",
  again_sent: "Sent to {address}",
  again_wait: "In {minutes} min",
  again_gone: "Gone",
  again_offline: "Offline",
  again_not_needed: "Still works",
  again_unavailable: "No mails now",
  cart_total_unknown: "in the shop",
});
const byId = (id: string) => document.getElementById(id) as HTMLElement;

describe("the cart", () => {
  const LINE: Line = {
    product_id: "s",
    name: "Jacket, S",
    options: "Moss",
    quantity: "2",
    total: "€478.00",
    image: null,
    url: null,
    in_stock: true,
    was: "m",
  };

  beforeEach(() => {
    document.documentElement.lang = "en";
    document.body.innerHTML = `<details id="cart"><span id="thumbs"></span><small id="count"></small>
      <b data-total></b><ul id="lines"><li data-id="m"></li></ul><p id="coupon"></p></details>`;
  });

  it("knows what stands in a line, also after another was taken, and undoes it", () => {
    const taken: unknown[] = [];
    const panel = cartPanel(labels, (...all) => taken.push(all));
    expect(panel.standsFor("m")).toBe("m");
    panel.draw([LINE], null);
    expect(panel.standsFor("m")).toBe("s");
    expect(panel.standsFor("x")).toBeUndefined();
    expect(byId("count").textContent).toBe("(1)");
    expect(document.querySelector("[data-total]")?.textContent).toBe("in the shop");
    expect(byId("lines").textContent).toContain("2 × Jacket, S");
    panel.draw([{ ...LINE, total: null }], null);
    expect(byId("lines").textContent).toContain("in the shop");
    (document.querySelector(".undo") as HTMLElement).click();
    (document.querySelector(".undo") as HTMLElement).click();
    expect(taken).toEqual([["s", "m"]]);
  });

  it("keeps whoever is in a line of it there when it is drawn anew", () => {
    const panel = cartPanel(labels, () => {});
    panel.draw([LINE], "1");
    document.querySelector<HTMLElement>(".undo")?.focus();
    panel.draw([{ ...LINE, quantity: "3" }], "2");
    expect(document.activeElement?.className).toBe("plain undo");
    (document.activeElement as HTMLElement).blur();
    panel.draw([LINE], "1");
    expect(document.activeElement).toBe(document.body);
  });

  it("shows a coupon until it ends and takes it away then", () => {
    vi.useFakeTimers();
    const panel = cartPanel(labels, () => {});
    const place = byId("coupon");
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    panel.coupon({ code: "BACK-1", percent: 5, expires_at: inAnHour }, false);
    const copy = place.querySelector("button");
    expect(place.textContent).toContain("BACK-1");
    panel.coupon({ code: "BACK-1", percent: 5, expires_at: inAnHour }, true);
    expect(place.querySelector("button")).toBe(copy);
    vi.advanceTimersByTime(3_600_001);
    expect([place.hidden, place.textContent]).toEqual([true, ""]);
    panel.coupon({ code: "BACK-2", percent: 5, expires_at: inAnHour }, false);
    expect(place.hidden).toBe(true);
    vi.useRealTimers();
  });
});

describe("the composer", () => {
  let field: HTMLTextAreaElement;

  beforeEach(() => {
    document.body.innerHTML =
      '<form id="composer" hidden><textarea id="question"></textarea><button id="send"></button></form>';
    field = byId("question") as HTMLTextAreaElement;
  });

  function open(takes = true) {
    const asked: string[] = [];
    const stopped: string[] = [];
    const ask = (text: string) => {
      asked.push(text);
      return takes;
    };
    const composer = openComposer(labels, ask, () => stopped.push("stop"));
    return { composer, asked, stopped };
  }

  function press(key: string, more: KeyboardEventInit = {}): void {
    field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  }

  it("sends by Enter, not by Shift+Enter and not while letters are being composed", () => {
    const { asked } = open();
    field.value = "Size?";
    press("Enter", { shiftKey: true });
    press("Enter", { isComposing: true });
    expect(asked).toEqual([]);
    press("Enter");
    expect([asked, field.value]).toEqual([["Size?"], ""]);
  });

  it("keeps what was not taken, and gives back what was refused unless there is more", () => {
    const { composer } = open(false);
    field.value = "Too long";
    press("Enter");
    expect(field.value).toBe("Too long");
    composer.putBack("Refused");
    expect(field.value).toBe("Too long");
    field.value = "";
    composer.putBack("Refused");
    expect(field.value).toBe("Refused");
  });

  it("stops by its button and by Escape while an answer runs; Enter lets the next question wait", () => {
    const { composer, asked, stopped } = open();
    composer.running(true);
    expect(byId("send").title).toBe("Stop");
    byId("composer").dispatchEvent(new Event("submit", { cancelable: true }));
    press("Escape");
    field.value = "Next";
    press("Enter");
    expect([stopped, asked]).toEqual([["stop", "stop"], ["Next"]]);
  });
});

describe("asking for a fresh link", () => {
  beforeEach(() => {
    document.body.innerHTML = '<button id="again" hidden></button><p id="again-told"></p>';
  });

  it.each([
    [new Response('{"sent_to": "a…@e…"}', { status: 202 }), "Sent to a…@e…", true],
    [new Response("{}", { status: 429, headers: { "Retry-After": "61" } }), "In 2 min", false],
    [new Response("{}", { status: 410 }), "Gone", true],
    [new Response('{"error":"not_needed"}', { status: 409 }), "Still works", true],
    [new Response('{"error":"unavailable"}', { status: 503 }), "No mails now", false],
    [new Response("<html>", { status: 502 }), "Offline", false],
    [null, "Offline", false],
  ])("tells plainly what came of it", async (answer, told, hidden) => {
    vi.stubGlobal("fetch", async () => {
      if (!answer) throw new TypeError("no network");
      return answer;
    });
    offerAgain("token", labels);
    byId("again").click();
    await vi.waitFor(() => expect(byId("again-told").textContent).toBe(told));
    expect(byId("again").hidden).toBe(hidden);
    vi.unstubAllGlobals();
  });
});
