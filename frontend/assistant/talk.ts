/**
 * What this page knows of the conversation, whatever becomes of its sockets: turns, the answer that is being written,
 * the cart, and what waits to be stored. It applies frames and says what changed; it touches no page and no network.
 */

import type { Asked, Card, Coupon, Durable, Finish, Incoming, Line, Outgoing, Wish } from "./frames.ts";
import { count, slice } from "./points.ts";

export interface Turn {
  id: string;
  question: string;
  /** Not confirmed by the server yet. */
  waiting: boolean;
  ep: number;
  text: string;
  /** Code points of the text. */
  points: number;
  started: boolean;
  finish: Finish | null;
  sha: string | null;
  cards: Card[];
  vote: number;
}

/** The cart to restore; `id` where the customer took a variant, none where the shop changed it. */
export type Shown = { id?: string; lines: Line[]; total: string | null };

/** `null`: nothing to draw; `state`: what became of the cart; `reset`: draw everything anew; `broken`: reconnect. */
export type Change = Turn | null | "state" | "cart" | "person" | "reset" | "broken";

/** What an `err` about a frame names. */
function refOf(frame: Wish | Asked): string {
  if (frame.t === "vote") return frame.msg;
  return "turn" in frame ? frame.turn : frame.id;
}

/** By what a wish is known again when it was fulfilled: of each kind there is one to a turn. */
const keyOf = (wish: Wish): string => `${wish.t} ${refOf(wish)}`;

export class Talk {
  seq = 0;
  /** Whether the server told that the cart has become an order. */
  ordered = false;
  /** The coupon that works now, or none; undefined until the server tells. */
  coupon: Coupon | null | undefined;
  /** The cart to restore as the server told it last; null until it does. */
  cart: Shown | null = null;
  /** Where a person of the shop will answer, and since when that is known. */
  person: { address: string; at: string } | null = null;
  turns = new Map<string, Turn>();
  private wishes = new Map<string, Wish>();

  /** The turn whose answer is being written or waited for. */
  get running(): Turn | null {
    for (const turn of this.turns.values()) if (!turn.waiting && turn.finish === null) return turn;
    return null;
  }

  /** Put a question in the queue. */
  ask(text: string, id: string): Turn {
    const turn: Turn = {
      id,
      question: text,
      waiting: true,
      ep: 0,
      text: "",
      points: 0,
      started: false,
      finish: null,
      sha: null,
      cards: [],
      vote: 0,
    };
    this.turns.set(id, turn);
    return turn;
  }

  /** The question that the server refused, for good; null if it was none, or is stored. */
  drop(ref: string | null): Turn | null {
    const turn = this.turns.get(ref ?? "");
    if (!turn?.waiting) return null;
    this.turns.delete(turn.id);
    return turn;
  }

  hello(session: string, conv: string): Outgoing {
    const turn = this.running;
    const partial = turn?.started ? { partial: { msg: turn.id, ep: turn.ep, off: turn.points } } : {};
    return { t: "hello", session, conv, last_seq: this.seq, ...partial };
  }

  /** Keep a wish until the server has fulfilled or refused it. */
  wish(wish: Wish): Wish {
    this.wishes.set(keyOf(wish), wish);
    return wish;
  }

  /** The wish that the server refused, for good. */
  refused(ref: string | null): Wish | null {
    for (const [key, wish] of this.wishes) {
      if (refOf(wish) !== ref) continue;
      this.wishes.delete(key);
      return wish;
    }
    return null;
  }

  /** Questions the server has not confirmed, oldest first. */
  questions(): Asked[] {
    return [...this.turns.values()]
      .filter((turn) => turn.waiting)
      .map((turn) => ({ t: "msg", id: turn.id, text: turn.question }));
  }

  /** What is to be sent (again), after a welcome all of it, else what an `err` named by `ref`. */
  unsent(ref?: string | null): Outgoing[] {
    const all = [...this.wishes.values(), ...this.questions()];
    return ref === undefined ? all : all.filter((frame) => refOf(frame) === ref);
  }

  /** Forget what the server told; what waits here stays. */
  reset(): void {
    this.seq = 0;
    this.ordered = false;
    this.coupon = undefined;
    this.cart = this.person = null;
    for (const turn of [...this.turns.values()]) if (!turn.waiting) this.turns.delete(turn.id);
  }

  /** Apply a frame. */
  take(frame: Incoming): Change[] {
    switch (frame.t) {
      case "welcome":
        if (frame.resumed) return [];
        this.reset();
        return ["reset"];
      case "log":
        return frame.items.flatMap((item) => this.take(item));
      case "d":
        return [this.slice(frame.msg, frame.ep, frame.off, frame.x)];
      case "ok":
      case "start":
      case "cards":
      case "done":
      case "vote":
      case "person":
      case "cart":
      case "state":
        return [this.durable(frame)];
      default:
        return [];
    }
  }

  private durable(frame: Durable): Change {
    if (frame.seq <= this.seq) return null;
    if (frame.seq > this.seq + 1) return "broken";
    this.seq = frame.seq;
    switch (frame.t) {
      case "ok":
        if (frame.retry_of) this.wishes.delete(`retry ${frame.retry_of}`);
        return this.stored(frame.id, frame.text);
      case "start":
        return this.begin(frame.msg, frame.ep);
      case "done":
        return this.end(frame);
      case "state":
        this.ordered = frame.ordered ?? this.ordered;
        if (frame.coupon !== undefined) this.coupon = frame.coupon;
        return "state";
      case "person":
        this.wishes.delete(`person ${frame.id}`);
        this.person = frame;
        return "person";
      case "cart":
        if (frame.id) this.wishes.delete(`take ${frame.id}`);
        this.cart = frame;
        return "cart";
    }
    const turn = this.turns.get(frame.msg);
    if (!turn) return "broken";
    if (frame.t === "cards") turn.cards = frame.items;
    else {
      turn.vote = frame.v;
      this.wishes.delete(`vote ${turn.id}`);
    }
    return turn;
  }

  private stored(id: string, text: string): Turn {
    const turn = this.turns.get(id) ?? this.ask(text, id);
    // Questions of other tabs and the order of the server: the confirmed one comes after all confirmed before it.
    this.turns.delete(id);
    const waiting = [...this.turns.values()].filter((other) => other.waiting);
    for (const other of waiting) this.turns.delete(other.id);
    this.turns.set(id, turn);
    for (const other of waiting) this.turns.set(other.id, other);
    turn.waiting = false;
    turn.question = text;
    return turn;
  }

  private begin(id: string, ep: number): Change {
    const turn = this.turns.get(id);
    if (!turn) return "broken";
    turn.started = true;
    turn.ep = ep;
    turn.text = "";
    turn.points = 0;
    return turn;
  }

  private slice(id: string, ep: number, off: number, text: string): Change {
    const turn = this.turns.get(id);
    if (!turn?.started || turn.finish !== null || ep < turn.ep) return null;
    if (ep > turn.ep || off > turn.points) return "broken";
    const fresh = slice(text, turn.points - off);
    turn.text += fresh;
    turn.points += count(fresh);
    return turn;
  }

  private end(frame: Extract<Durable, { t: "done" }>): Change {
    const turn = this.turns.get(frame.msg);
    if (!turn) return "broken";
    turn.text = slice(frame.text ?? turn.text, 0, frame.len);
    turn.points = count(turn.text);
    turn.finish = frame.finish;
    this.wishes.delete(`cancel ${turn.id}`);
    turn.sha = frame.sha;
    return turn.points === frame.len ? turn : "broken";
  }
}
