/** The conversation on the page: what the customer does goes to the talk and its link, what comes of it is drawn. */

import { offerAgain } from "./again.ts";
import { cartPanel } from "./cart.ts";
import { openComposer } from "./composer.ts";
import { share } from "./copy.ts";
import { button, byId, labelsOf, say } from "./dom.ts";
import type { Coupon, Incoming, Wish } from "./frames.ts";
import { newId } from "./ids.ts";
import { type Connection, Link } from "./link.ts";
import { openNotes } from "./notes.ts";
import { personDialog } from "./person.ts";
import { count, digest } from "./points.ts";
import { openScroll } from "./scroll.ts";
import { drawSuggestions, next } from "./suggestions.ts";
import { type Change, Talk, type Turn } from "./talk.ts";
import { type Acts, noteOf, type TurnView, turnView } from "./turn.ts";

/** A blink of the network is nobody's business. */
const BLINK_MS = 700;

export interface Boot {
  token: string;
  texts: Record<string, string>;
  shop: string;
  contact: string | null;
  ordered: boolean;
  limits: { text: number };
  suggestions: string[];
  person: { address: string | null; available: boolean };
  share: string | null;
  coupon: Coupon | null;
}

export function openChat(boot: Boot): void {
  const labels = labelsOf(boot.texts);
  const talk = new Talk();
  const views = new Map<string, TurnView>();
  const banner = byId("banner");
  const starters = byId("starters");
  const scroll = openScroll();
  const cart = cartPanel(labels, take);
  const notes = openNotes(labels, boot.shop, take);
  const composer = openComposer(labels, ask, stop);
  const dialog = boot.person.available
    ? personDialog(labels, (address) => wish({ t: "person", id: newId(), ...(address ? { address } : {}) }))
    : null;
  const acts: Acts = {
    standsFor: cart.standsFor,
    take,
    vote(turn, v) {
      turn.vote = v;
      draw(turn);
      wish({ t: "vote", msg: turn.id, v });
    },
    retry: (turn) => wish({ t: "retry", turn: turn.id }),
  };
  const link = new Link(boot.token, {
    hello: (session, conv) => talk.hello(session, conv),
    frame: receive,
    state: connection,
  });
  let lostTimer = 0;
  let away = false;
  let ended = false;

  // What the customer does.

  function ask(text: string): boolean {
    const clean = text.trim();
    if (!clean || ended) return false;
    if (count(clean) > boot.limits.text) {
      tell("too_long");
      return false;
    }
    if (!away) tell("");
    const turn = talk.ask(clean, newId());
    draw(turn);
    scroll.pin();
    say(labels("thinking"));
    link.send({ t: "msg", id: turn.id, text: turn.question });
    refresh();
    return true;
  }

  function stop(): void {
    const turn = talk.running;
    if (turn) wish({ t: "cancel", turn: turn.id });
  }

  function take(line: string, product: string): void {
    wish({ t: "take", id: newId(), line, product });
  }

  function wish(wanted: Wish): void {
    link.send(talk.wish(wanted));
  }

  // What the connection and the server say.

  function connection(state: Connection): void {
    clearTimeout(lostTimer);
    if (state === "connected") {
      reach(true);
      for (const frame of talk.unsent()) link.send(frame);
    } else if (state === "lost") lostTimer = window.setTimeout(() => reach(false), BLINK_MS);
    else end(state);
  }

  function reach(there: boolean): void {
    away = !there;
    tell(there ? "" : navigator.onLine ? "reconnecting" : "offline");
    for (const turn of talk.turns.values()) if (turn.waiting) draw(turn);
    scroll.grown();
  }

  function end(state: Connection): void {
    const why = labels(state === "crowded" ? "too_many" : "expired");
    ended = true;
    composer.close();
    tell("");
    byId("ended").hidden = false;
    byId("ended-why").textContent = why;
    say(why);
    if (state === "expired") offerAgain(boot.token, labels);
    refresh();
  }

  function receive(frame: Incoming): void {
    if (frame.t === "err") refused(frame);
    // What was told of a question that had to wait is over.
    if (frame.t === "ok" && !away) tell("");
    const changes = talk.take(frame);
    for (const change of changes) apply(change, frame.t !== "log");
    if (changes.length) refresh();
  }

  function apply(change: Change, live: boolean): void {
    if (change === "broken") {
      talk.reset();
      link.restart();
    } else if (change === "reset") redraw();
    else if (change === "state") {
      // A page that is opened anew replays what was told before; what it has itself is newer.
      if (talk.coupon !== undefined) cart.coupon(talk.coupon, live);
      notes.ordered(talk.ordered && !boot.ordered, live);
    } else if (change === "cart" && talk.cart) {
      cart.draw(talk.cart.lines, talk.cart.total);
      redrawCards();
      notes.cart(talk.cart, live);
    } else if (change === "person" && talk.person) {
      dialog?.done();
      notes.person(talk.person.address, talk.person.at, live);
      scroll.pin();
    } else if (change && typeof change === "object") {
      draw(change);
      if (live && change.finish !== null && change.sha !== null) finished(change);
    }
  }

  function finished(turn: Turn): void {
    const { sha, text } = turn;
    turn.sha = null;
    say([text, labels(noteOf(turn))].filter(Boolean).join(" "));
    for (const frame of talk.questions()) link.send(frame);
    void digest(text).then((own) => {
      if (own !== null && own !== sha) apply("broken", false);
    });
  }

  function refused({ code, retry, after_ms, ref }: Extract<Incoming, { t: "err" }>): void {
    if (retry) {
      tell(code);
      setTimeout(() => {
        tell("");
        for (const frame of talk.unsent(ref)) link.send(frame);
      }, after_ms || 1000);
      return;
    }
    const unasked = talk.drop(ref);
    const unfulfilled = talk.refused(ref);
    if (unfulfilled?.t === "person") {
      dialog?.refused(code);
      return;
    }
    // What is over already can't be stopped, and nobody has to know.
    if (unfulfilled?.t === "cancel") return;
    tell(labels(code) ? code : "failed");
    if (unasked) {
      views.get(unasked.id)?.node.remove();
      views.delete(unasked.id);
      composer.putBack(unasked.question);
    }
    // What was pressed for it can be pressed again.
    for (const pressed of document.querySelectorAll<HTMLButtonElement>(":disabled")) pressed.disabled = false;
    refresh();
  }

  // What is drawn.

  function tell(name: string): void {
    banner.textContent = labels(name);
    banner.hidden = name === "";
  }

  function draw(turn: Turn): void {
    let view = views.get(turn.id);
    if (!view) {
      view = turnView(labels, acts, boot.contact ?? "");
      views.set(turn.id, view);
      byId("log").append(view.node);
    }
    view.draw(turn, away);
  }

  function redrawCards(): void {
    for (const turn of talk.turns.values()) views.get(turn.id)?.redrawCards(turn);
  }

  function redraw(): void {
    for (const view of views.values()) view.node.remove();
    views.clear();
    notes.clear();
    scroll.shrunk();
    for (const turn of talk.turns.values()) draw(turn);
  }

  function refresh(): void {
    const turns = [...talk.turns.values()];
    const busy = talk.running !== null;
    composer.running(busy);
    starters.hidden = ended || busy || turns.some((turn) => turn.waiting);
    drawSuggestions(
      next(boot.suggestions, turns, labels, (id) => cart.standsFor(id) !== undefined),
      (text) => {
        ask(text);
        composer.focusWithoutKeyboard();
      },
      // At first the way to a person stands above, beside the disclosure.
      turns.length && dialog ? button("chip person", labels("person"), dialog.open) : null,
      !!boot.contact && !!turns.at(-1)?.text.includes(boot.contact),
    );
    scroll.grown();
  }

  // What the server's HTML holds for a script only.
  for (const opens of document.querySelectorAll<HTMLElement>("[data-person]")) {
    opens.hidden = dialog === null;
    opens.onclick = () => dialog?.open();
  }
  const sharing = byId("share");
  sharing.hidden = !boot.share;
  sharing.onclick = () => share(boot.share as string, document.title, sharing, labels);

  cart.coupon(boot.coupon, false);
  refresh();
  link.start();
}
