import { beforeEach, describe, expect, it } from "vitest";
import { labelsOf } from "./dom.ts";
import type { Card } from "./frames.ts";
import { Talk, type Turn } from "./talk.ts";
import { type Acts, turnView } from "./turn.ts";

const labels = labelsOf({
  stopped: "Stopped",
  retry: "Try again",
  take: "Take this instead",
  in_cart: "In",
  contact: "Contact",
});
const CARD: Card = {
  id: "s",
  name: "Jacket, S",
  price: "€239.00",
  image: "javascript:alert(1)",
  url: "javascript:alert(1)",
  why: "",
  in_stock: true,
  instead_of: "m",
};
let done: unknown[];
let stands: string | undefined;
const acts: Acts = {
  vote: (turn, value) => done.push(["vote", turn.id, value]),
  retry: (turn) => done.push(["retry", turn.id]),
  take: (line, product) => done.push(["take", line, product]),
  standsFor: () => stands,
};

function turn(change: Partial<Turn> = {}): Turn {
  return { ...new Talk().ask("Does it fit?", "t1"), waiting: false, ...change };
}

beforeEach(() => {
  done = [];
  stands = "m";
  document.body.innerHTML = '<template id="thumb"><svg></svg></template>';
});

describe("a turn", () => {
  it("thinks at once, but not where nobody can", () => {
    const view = turnView(labels, acts, "");
    const dots = view.node.querySelector(".dots") as HTMLElement;
    view.draw(turn({ waiting: true }), false);
    expect(dots.hidden).toBe(false);
    view.draw(turn({ waiting: true }), true);
    expect(dots.hidden).toBe(true);
    expect((view.node.querySelector(".queued") as HTMLElement).hidden).toBe(false);
    view.draw(turn({ text: "Yes" }), false);
    expect(dots.hidden).toBe(true);
  });

  it("keeps the words of a stopped answer, says so and can be tried again once", () => {
    const view = turnView(labels, acts, "");
    view.draw(turn({ text: "Half an", finish: "cancelled" }), false);
    expect(view.node.textContent).toContain("Half an");
    expect(view.node.textContent).toContain("Stopped");
    const again = view.node.querySelector(".foot .plain") as HTMLButtonElement;
    again.click();
    again.click();
    expect(done).toEqual([["retry", "t1"]]);
  });

  it("takes a vote back by the same thumb", () => {
    const view = turnView(labels, acts, "");
    view.draw(turn({ text: "Yes", finish: "stop", vote: 1 }), false);
    const [good, bad] = view.node.querySelectorAll<HTMLButtonElement>(".thumb");
    good?.click();
    bad?.click();
    expect(done).toEqual([
      ["vote", "t1", 0],
      ["vote", "t1", -1],
    ]);
    expect(good?.ariaPressed).toBe("true");
  });

  it("links the shop's contact and nothing else", () => {
    const view = turnView(labels, acts, "https://shop.example/contact");
    view.draw(
      turn({ text: "Ask https://shop.example/contact or https://evil.example <b>x</b>", finish: "stop" }),
      false,
    );
    expect([...view.node.querySelectorAll("a")].map((link) => [link.href, link.textContent])).toEqual([
      ["https://shop.example/contact", "Contact"],
    ]);
    expect(view.node.querySelector("b")).toBeNull();
  });
});

describe("a card", () => {
  it("leads nowhere but to the web", () => {
    const view = turnView(labels, acts, "");
    view.draw(turn({ cards: [CARD], text: "Yes", finish: "stop" }), false);
    expect(view.node.querySelector(".card a, .card img")).toBeNull();
  });

  it("can be taken in place of the line as it stands now, once, and then says so", () => {
    const view = turnView(labels, acts, "");
    stands = "l";
    const current = turn({ cards: [CARD], text: "Yes", finish: "stop" });
    view.draw(current, false);
    const take = view.node.querySelector(".take") as HTMLButtonElement;
    take.click();
    take.click();
    expect(done).toEqual([["take", "l", "s"]]);
    stands = "s";
    view.redrawCards(current);
    expect(view.node.querySelector(".take")).toBeNull();
    expect(view.node.querySelector(".taken")?.textContent).toBe("In");
    stands = undefined;
    view.redrawCards(current);
    expect(view.node.querySelector(".take, .taken")).toBeNull();
  });
});
