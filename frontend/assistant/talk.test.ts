import { describe, expect, it } from "vitest";
import { after, CAP_MS, delay } from "./backoff.ts";
import { count, digest, slice } from "./points.ts";
import { Talk } from "./talk.ts";

const MECHANIC = "👩‍🔧";

function begun(): Talk {
  const talk = new Talk();
  talk.ask("Does it fit?", "t1");
  talk.take({ t: "ok", seq: 1, id: "t1", turn: "t1", text: "Does it fit?", at: "" });
  talk.take({ t: "start", seq: 2, turn: "t1", msg: "t1", ep: 1 });
  return talk;
}

describe("code points", () => {
  it("are counted and cut as the server does", () => {
    expect(count(MECHANIC)).toBe(3);
    expect(slice(`a${MECHANIC}b`, 1, 4)).toBe(MECHANIC);
    expect(slice("abc", 5)).toBe("");
  });

  it("have the digest of the protocol", async () => {
    expect(await digest("")).toBe("e3b0c44298fc1c14");
  });
});

describe("an answer", () => {
  it("grows by slices and ignores what it has", () => {
    const talk = begun();
    talk.take({ t: "d", msg: "t1", ep: 1, off: 0, x: `Ask ${MECHANIC}` });
    talk.take({ t: "d", msg: "t1", ep: 1, off: 4, x: `${MECHANIC}!` });
    expect(talk.running?.text).toBe(`Ask ${MECHANIC}!`);
    expect(talk.running?.points).toBe(8);
  });

  it("is not shown past a gap", () => {
    const talk = begun();
    expect(talk.take({ t: "d", msg: "t1", ep: 1, off: 3, x: "?" })).toEqual(["broken"]);
  });

  it("begins anew when another node produces it, and drops what the first still says", () => {
    const talk = begun();
    talk.take({ t: "d", msg: "t1", ep: 1, off: 0, x: "old" });
    talk.take({ t: "start", seq: 3, turn: "t1", msg: "t1", ep: 2 });
    talk.take({ t: "d", msg: "t1", ep: 1, off: 3, x: " words" });
    talk.take({ t: "d", msg: "t1", ep: 2, off: 0, x: "new" });
    expect(talk.running?.text).toBe("new");
  });

  it("is cut to its length, or replaced by the whole text", () => {
    const cut = begun();
    cut.take({ t: "d", msg: "t1", ep: 1, off: 0, x: `${MECHANIC} and more` });
    cut.take({ t: "done", seq: 3, msg: "t1", ep: 1, len: 3, sha: "", finish: "cut" });
    expect(cut.turns.get("t1")?.text).toBe(MECHANIC);
    const whole = begun();
    whole.take({ t: "done", seq: 3, msg: "t1", ep: 2, len: 5, sha: "", finish: "stop", text: "whole" });
    expect(whole.turns.get("t1")?.text).toBe("whole");
    expect(whole.running).toBeNull();
  });

  it("that lacks something at its end is asked for again", () => {
    const talk = begun();
    expect(talk.take({ t: "done", seq: 3, msg: "t1", ep: 1, len: 9, sha: "", finish: "stop" })).toEqual([
      "broken",
    ]);
  });
});

describe("resuming", () => {
  it("tells what is there", () => {
    const talk = begun();
    talk.take({ t: "d", msg: "t1", ep: 1, off: 0, x: MECHANIC });
    expect(talk.hello("s", "c")).toEqual({
      t: "hello",
      session: "s",
      conv: "c",
      last_seq: 2,
      partial: { msg: "t1", ep: 1, off: 3 },
    });
  });

  it("sends again what is not stored, with the same id, and not what is", () => {
    const talk = begun();
    talk.ask("And this?", "t2");
    expect(talk.unsent()).toEqual([{ t: "msg", id: "t2", text: "And this?" }]);
    talk.take({ t: "log", items: [], more: false });
    talk.take({ t: "done", seq: 3, msg: "t1", ep: 1, len: 0, sha: "", finish: "error" });
    talk.take({ t: "ok", seq: 4, id: "t2", turn: "t2", text: "And this?", at: "" });
    expect(talk.unsent()).toEqual([]);
    expect(talk.running?.id).toBe("t2");
  });

  it("ignores events it has and notices a hole", () => {
    const talk = begun();
    expect(talk.take({ t: "ok", seq: 1, id: "t1", turn: "t1", text: "Does it fit?", at: "" })).toEqual([
      null,
    ]);
    expect(talk.take({ t: "vote", seq: 9, msg: "t1", v: 1 })).toEqual(["broken"]);
  });

  it("starts anew when the server does not know what the page has, and keeps what waits", () => {
    const talk = begun();
    talk.ask("And this?", "t2");
    expect(talk.take({ t: "welcome", conv: "c", seq: 1, resumed: false, disclosure: "" })).toEqual(["reset"]);
    expect([...talk.turns.keys()]).toEqual(["t2"]);
    expect(talk.seq).toBe(0);
  });

  it("takes the questions of other tabs in the server's order, before what waits here", () => {
    const talk = new Talk();
    talk.ask("Mine", "mine");
    talk.take({ t: "ok", seq: 1, id: "other", turn: "other", text: "Theirs", at: "" });
    expect([...talk.turns.keys()]).toEqual(["other", "mine"]);
  });
});

describe("wishes beside questions", () => {
  it("are sent again until they are fulfilled, each known by its own event", () => {
    const talk = begun();
    talk.wish({ t: "take", id: "w1", line: "m", product: "s" });
    talk.wish({ t: "person", id: "w2" });
    talk.wish({ t: "vote", msg: "t1", v: 1 });
    talk.wish({ t: "vote", msg: "t1", v: -1 });
    talk.wish({ t: "cancel", turn: "t1" });
    expect(talk.unsent().map((frame) => frame.t)).toEqual(["take", "person", "vote", "cancel"]);
    talk.take({ t: "cart", seq: 3, lines: [], total: null });
    expect(talk.unsent()).toHaveLength(4);
    talk.take({ t: "cart", seq: 4, id: "w1", lines: [], total: "€0.00" });
    talk.take({ t: "person", seq: 5, id: "w2", address: "j…@e…", at: "" });
    talk.take({ t: "vote", seq: 6, msg: "t1", v: -1 });
    talk.take({ t: "done", seq: 7, msg: "t1", ep: 1, len: 0, sha: "", finish: "cancelled" });
    expect(talk.unsent()).toEqual([]);
    talk.wish({ t: "retry", turn: "t1" });
    talk.take({ t: "ok", seq: 8, id: "t2", turn: "t2", text: "Again", at: "", retry_of: "t1" });
    expect(talk.unsent()).toEqual([]);
  });

  it("are forgotten when refused, and found by what the refusal names", () => {
    const talk = begun();
    talk.wish({ t: "take", id: "w1", line: "m", product: "s" });
    talk.ask("Waits", "t2");
    expect(talk.unsent("w1").map((frame) => frame.t)).toEqual(["take"]);
    expect(talk.unsent("t2").map((frame) => frame.t)).toEqual(["msg"]);
    expect(talk.refused("elsewhere")).toBeNull();
    expect(talk.refused("w1")?.t).toBe("take");
    expect(talk.refused("w1")).toBeNull();
    expect(talk.drop("t1")).toBeNull();
    expect(talk.drop("t2")?.question).toBe("Waits");
    expect(talk.unsent()).toEqual([]);
  });

  it("outlive a reset, while what the server told does not", () => {
    const talk = begun();
    talk.take({ t: "cart", seq: 3, lines: [], total: null });
    talk.wish({ t: "person", id: "w2" });
    talk.reset();
    expect([talk.cart, talk.seq, talk.turns.size]).toEqual([null, 0, 0]);
    expect(talk.unsent()).toEqual([{ t: "person", id: "w2" }]);
  });
});

describe("the cart", () => {
  it("has a coupon only when the server says so, and keeps it when it says nothing", () => {
    const talk = begun();
    const coupon = { code: "C", percent: 5, expires_at: "2026-11-27T17:00:00+00:00" };
    expect(talk.coupon).toBeUndefined();
    talk.take({ t: "state", seq: 3, coupon });
    talk.take({ t: "state", seq: 4, ordered: true });
    expect(talk.coupon).toEqual(coupon);
    talk.take({ t: "state", seq: 5, coupon: null });
    expect(talk.coupon).toBeNull();
  });

  it("becomes an order and none again as the server tells, each once", () => {
    const talk = begun();
    expect(talk.take({ t: "state", seq: 3, ordered: true })).toEqual(["state"]);
    expect(talk.ordered).toBe(true);
    expect(talk.take({ t: "state", seq: 3, ordered: false })).toEqual([null]);
    expect(talk.take({ t: "state", seq: 4, ordered: false })).toEqual(["state"]);
    expect(talk.ordered).toBe(false);
  });
});

describe("back-off", () => {
  it("doubles to its cap with jitter", () => {
    expect(delay(0, () => 0)).toBe(250);
    expect(delay(0, () => 1)).toBe(500);
    expect(delay(50, () => 1)).toBe(CAP_MS);
  });

  it("knows which close codes end it", () => {
    expect([1006, 1012, 4401, 4403, 4404, 4408, 4409].map(after)).toEqual([
      "again",
      "again",
      "renew",
      "over",
      "over",
      "wait",
      "crowded",
    ]);
  });
});
