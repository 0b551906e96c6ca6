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
  /** The line of the cart that it could take the place of. */
  instead_of?: string | null;
}

export interface Line {
  product_id: string;
  name: string;
  options: string;
  quantity: string;
  /** Null where only the shop can tell it. */
  total: string | null;
  image: string | null;
  url: string | null;
  in_stock: boolean;
  /** What the customer had put into the cart before taking this instead. */
  was?: string | null;
}

export interface Coupon {
  code: string;
  percent: number;
  expires_at: string;
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
  | { t: "person"; seq: number; id: string; address: string; at: string }
  | { t: "cart"; seq: number; id?: string; lines: Line[]; total: string | null }
  | { t: "state"; seq: number; ordered?: boolean; coupon?: Coupon | null };

export type Incoming =
  | Durable
  | { t: "welcome"; conv: string; seq: number; resumed: boolean; disclosure: string }
  | { t: "log"; items: Durable[]; more: boolean }
  | { t: "d"; msg: string; ep: number; off: number; x: string }
  | { t: "renew"; session: string }
  | { t: "err"; code: string; retry: boolean; after_ms: number; ref: string | null }
  | { t: "pong"; n: number };

export type Asked = { t: "msg"; id: string; text: string };

/** What a customer may ask for beside questions. */
export type Wish =
  | { t: "cancel"; turn: string }
  | { t: "retry"; turn: string }
  | { t: "vote"; msg: string; v: number }
  | { t: "person"; id: string; address?: string }
  | { t: "take"; id: string; line: string; product: string };

export type Outgoing =
  | Wish
  | {
      t: "hello";
      session: string;
      conv: string;
      last_seq: number;
      partial?: { msg: string; ep: number; off: number };
    }
  | Asked
  | { t: "ping"; n: number };
