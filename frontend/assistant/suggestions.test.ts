import { beforeEach, describe, expect, it } from "vitest";
import { byId, labelsOf } from "./dom.ts";
import type { Card } from "./frames.ts";
import { drawSuggestions, next } from "./suggestions.ts";
import { Talk, type Turn } from "./talk.ts";

const KNOWN = ["Size?", "Delivery?", "Returns?", "Material?", "Payment?"];
const nowhere = () => false;
const labels = labelsOf({ about_card: "About {name}" });
const card = (change: Partial<Card> = {}): Card => ({
  id: "kit",
  name: "Care kit",
  price: "€19.00",
  image: null,
  url: null,
  why: "",
  in_stock: true,
  ...change,
});

function asked(text: string, ...cards: Card[]): Turn {
  return { ...new Talk().ask(text, text), cards };
}

describe("suggestions", () => {
  it("are four at first and three later, none twice, those passed over behind the others", () => {
    expect(next(KNOWN, [], labels, nowhere)).toEqual(KNOWN.slice(0, 4));
    expect(next(KNOWN, [asked(" size? ")], labels, nowhere)).toEqual(["Delivery?", "Returns?", "Material?"]);
    expect(next(KNOWN, [asked("Size?"), asked("Hm")], labels, nowhere)).toEqual([
      "Payment?",
      "Delivery?",
      "Returns?",
    ]);
    expect(next(["Size?"], [asked("Size?")], labels, nowhere)).toEqual([]);
  });

  it("begin with what was just shown, if it can be had", () => {
    expect(next(KNOWN, [asked("Hm", card())], labels, nowhere)[0]).toBe("About Care kit");
    expect(next(KNOWN, [asked("Hm", card())], labels, (id) => id === "kit")[0]).toBe("Size?");
    const useless = [card({ in_stock: false }), card({ instead_of: "x" }), card({ name: "x".repeat(60) })];
    expect(next(KNOWN, [asked("Hm", ...useless)], labels, nowhere)[0]).toBe("Size?");
    expect(next(KNOWN, [asked("Hm", card()), asked("About Care kit", card())], labels, nowhere)[0]).toBe(
      "Material?",
    );
  });
});

describe("their buttons", () => {
  beforeEach(() => {
    document.body.innerHTML = '<div id="starters"></div>';
  });

  it("ask by one tap and stay the same while nothing changes", () => {
    const heard: string[] = [];
    drawSuggestions(KNOWN, (text) => heard.push(text), null, false);
    const first = document.querySelector("button") as HTMLButtonElement;
    first.click();
    drawSuggestions(KNOWN, () => {}, null, false);
    expect(heard).toEqual(["Size?"]);
    expect(document.querySelector("button")).toBe(first);
  });

  it("put the way to a person first where the answer names it", () => {
    const person = document.createElement("button");
    drawSuggestions(KNOWN, () => {}, person, false);
    expect(byId("starters").lastChild).toBe(person);
    drawSuggestions(KNOWN, () => {}, person, true);
    expect(byId("starters").firstChild).toBe(person);
  });
});
