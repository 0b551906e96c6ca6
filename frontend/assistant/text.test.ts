import { describe, expect, it } from "vitest";
import { codePointLength, sliceFrom } from "./text.ts";

const MECHANIC = "👩‍🔧";

describe("codePointLength", () => {
  it.each([
    ["", 0],
    ["zażółć", 6],
    ["🧥", 1],
    [MECHANIC, 3],
    [`a${MECHANIC}b`, 5],
  ])("counts %j as %d", (text, length) => {
    expect(codePointLength(text)).toBe(length);
  });
});

describe("sliceFrom", () => {
  it("gives everything from 0 and nothing past the end", () => {
    expect(sliceFrom("żółw", 0)).toBe("żółw");
    expect(sliceFrom("żółw", 4)).toBe("");
    expect(sliceFrom("żółw", 99)).toBe("");
  });

  it("joins with what came before at every offset", () => {
    const text = `Kurtka 🧥 ${MECHANIC}!`;
    const points = [...text];
    for (let offset = 0; offset <= points.length; offset += 1) {
      expect(points.slice(0, offset).join("") + sliceFrom(text, offset)).toBe(text);
    }
  });
});
