/** The frames of protocol cartback.v1 as far as this page uses them; chatbot/events.py is their full description. */

export type Finish = "stop" | "cut" | "cancelled" | "fallback" | "error";

export interface Card {
  id: string;
  name: string;
  price: string;
  image: string | null;
  url: string | null;
  why: string;
  in_stock: boolean;
}

export type Durable =
  | { t: "ok"; seq: number; id: string; turn: string; text: string; at: string; retry_of?: string }
  | { t: "start"; seq: number; turn: string; msg: string; ep: number }
  | { t: "cards"; seq: number; msg: string; items: Card[] }
  | {
      t: "done";
      seq: number;
      msg: string;
      ep: number;
      len: number;
      sha: string;
      finish: Finish;
      text?: string;
    }
  | { t: "vote"; seq: number; msg: string; v: number }
  | { t: "state"; seq: number; ordered?: boolean };

export type Incoming =
  | Durable
  | { t: "welcome"; conv: string; seq: number; resumed: boolean; disclosure: string }
  | { t: "log"; items: Durable[]; more: boolean }
  | { t: "d"; msg: string; ep: number; off: number; x: string }
  | { t: "renew"; session: string }
  | { t: "err"; code: string; retry: boolean; after_ms: number; ref: string | null }
  | { t: "pong"; n: number };

export type Outgoing =
  | {
      t: "hello";
      session: string;
      conv: string;
      last_seq: number;
      partial?: { msg: string; ep: number; off: number };
    }
  | { t: "msg"; id: string; text: string }
  | { t: "cancel"; turn: string }
  | { t: "retry"; turn: string }
  | { t: "vote"; msg: string; v: number }
  | { t: "ping"; n: number };
