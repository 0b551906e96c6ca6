/** Keeps one socket to the assistant open: session, hello, liveness, back-off; says what happens and nothing more. */

import { after, CAP_MS, delay } from "./backoff.ts";
import type { Incoming, Outgoing } from "./frames.ts";

const PING_MS = 25_000;
const SILENCE_MS = 40_000;
const STABLE_MS = 60_000;

/** `lost`: trying again. The last three: never again, since the link's time is over, or the talk, or too many windows. */
export type Connection = "connected" | "lost" | "expired" | "over" | "crowded";

export interface Hears {
  hello(session: string, conv: string): Outgoing;
  frame(frame: Incoming): void;
  state(state: Connection): void;
}

export class Link {
  private socket: WebSocket | null = null;
  private session: { session: string; conv: string } | null = null;
  private tries = 0;
  private timer = 0;
  private pinging = 0;
  private heardAt = 0;
  private welcome = false;
  private resting = false;
  private readonly token: string;
  private readonly hears: Hears;

  constructor(token: string, hears: Hears) {
    this.token = token;
    this.hears = hears;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.restart());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  send(frame: Outgoing): void {
    if (this.welcome) this.socket?.send(JSON.stringify(frame));
    else this.hurry();
  }

  /** Connect now if nothing is under way. */
  hurry(): void {
    if (this.socket || (!this.timer && !this.resting)) return;
    this.resting = false;
    this.start();
  }

  start(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    void this.connect();
  }

  /** Leave this socket and come again. Not waited for: without a network the browser says "closed" only 10 s later. */
  restart(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(4000);
    this.closed(4000);
  }

  private async connect(): Promise<void> {
    const session = this.session ?? (await this.open());
    if (!session || this.socket) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`, "cartback.v1");
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.hears.hello(session.session, session.conv)));
    socket.onmessage = (event) => this.take(JSON.parse(event.data as string) as Incoming);
    socket.onclose = (event) => this.closed(event.code);
    this.heardAt = Date.now();
    clearInterval(this.pinging);
    this.pinging = window.setInterval(() => this.ping(), PING_MS);
  }

  private async open(): Promise<{ session: string; conv: string } | null> {
    try {
      const answer = await fetch("/api/assistant/session", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: this.token }),
      });
      if (answer.ok) {
        this.session = await answer.json();
        return this.session;
      }
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
        this.hears.state((await answer.json()).error === "expired" ? "expired" : "over");
        return null;
      }
    } catch {
      // No network: the same as a server that is away.
    }
    this.later();
    return null;
  }

  private take(frame: Incoming): void {
    this.heardAt = Date.now();
    if (frame.t === "renew" && this.session) this.session.session = frame.session;
    if (frame.t === "welcome") {
      this.welcome = true;
      const socket = this.socket;
      setTimeout(() => {
        if (socket === this.socket) this.tries = 0;
      }, STABLE_MS);
    }
    this.hears.frame(frame);
    if (frame.t === "welcome") this.hears.state("connected");
  }

  private ping(): void {
    if (Date.now() - this.heardAt > SILENCE_MS) this.restart();
    else this.send({ t: "ping", n: 0 });
  }

  private closed(code: number): void {
    clearInterval(this.pinging);
    this.socket = null;
    this.welcome = false;
    const next = after(code);
    if (next === "over" || next === "crowded") {
      this.hears.state(next);
      return;
    }
    if (next === "wait") {
      this.resting = true;
      if (document.hidden) return;
    }
    if (next === "renew") this.session = null;
    this.later();
  }

  private later(): void {
    this.hears.state("lost");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.start(), Math.min(CAP_MS, delay(this.tries)));
    this.tries += 1;
  }
}
