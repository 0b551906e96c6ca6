/** The assistant's page: joins what the server rendered with the conversation behind it. */

import "./style.css";
import { element, type Labels, TurnView } from "./draw.ts";
import type { Incoming } from "./frames.ts";
import { Link } from "./link.ts";
import { count, digest } from "./points.ts";
import { type Change, Talk, type Turn } from "./talk.ts";

const KEPT_TOKEN = "cartback.token";
const NEAR_PX = 48;

interface Boot {
  token: string;
  texts: Labels;
  contact: string | null;
  ordered: boolean;
  limits: { text: number };
}

const byId = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;

/** The page behind `/a`: back to the link that this tab opened, or the words that are there already. */
function goBack(shown: HTMLElement): void {
  const token = sessionStorage.getItem(KEPT_TOKEN);
  if (token) location.replace(`/a/${encodeURIComponent(token)}`);
  else shown.hidden = false;
}

function chat(boot: Boot): void {
  const labels = boot.texts;
  const label = (name: string) => labels[name] ?? "";
  const talk = new Talk();
  const views = new Map<string, TurnView>();
  const scroller = byId("scroll");
  const log = byId("log");
  const composer = byId<HTMLFormElement>("composer");
  const question = byId<HTMLTextAreaElement>("question");
  const send = byId<HTMLButtonElement>("send");
  const jump = byId<HTMLButtonElement>("jump");
  const banner = byId("banner");
  const starters = byId("starters");
  const spoken = byId("spoken");
  const ordered = element("p", "note", label("ordered"));
  let attached = true;
  let seenTop = 0;
  let ended = false;
  let lostTimer = 0;

  const link = new Link(boot.token, {
    hello: (session, conv) => talk.hello(session, conv),
    frame: take,
    state: (state) => {
      clearTimeout(lostTimer);
      if (state === "connected") {
        tell("");
        for (const frame of talk.unsent()) link.send(frame);
      } else if (state === "lost") {
        // A blink of the network is nobody's business.
        lostTimer = window.setTimeout(() => tell(label(navigator.onLine ? "reconnecting" : "offline")), 700);
      } else {
        ended = true;
        composer.hidden = true;
        tell(label(state === "over" ? "expired" : "too_many"));
      }
    },
  });

  function tell(text: string): void {
    banner.textContent = text;
    banner.hidden = text === "";
  }

  function say(text: string): void {
    spoken.textContent = text;
  }

  function take(frame: Incoming): void {
    if (frame.t === "err") refused(frame);
    const changes = talk.take(frame);
    for (const change of changes) apply(change, frame.t !== "log");
    if (changes.length) refresh();
  }

  function apply(change: Change, live: boolean): void {
    if (change === "broken") {
      talk.reset();
      link.restart();
    } else if (change === "reset") redraw();
    else if (change === "cart") tellOfCart(live);
    else if (change) {
      draw(change);
      if (live && change.finish !== null && change.sha !== null) finished(change);
    }
  }

  function finished(turn: Turn): void {
    const { sha, text } = turn;
    turn.sha = null;
    const note = { cancelled: "stopped", cut: "cut", error: "failed" }[turn.finish as string];
    say([text, note ? label(note) : ""].filter(Boolean).join(" "));
    for (const frame of talk.unsent()) link.send(frame);
    void digest(text).then((own) => {
      if (own !== null && own !== sha) apply("broken", false);
    });
  }

  /** Where in the talk the cart became an order; a page that was opened later says so at its top. */
  function tellOfCart(live: boolean): void {
    if (!talk.ordered || boot.ordered) ordered.remove();
    else if (!ordered.isConnected) {
      log.append(ordered);
      if (live) say(label("ordered"));
    }
  }

  function refused(frame: Extract<Incoming, { t: "err" }>): void {
    const turn = frame.ref ? talk.turns.get(frame.ref) : undefined;
    if (frame.retry) {
      if (frame.code !== "busy") tell(label(frame.code));
      setTimeout(() => {
        tell("");
        if (turn?.waiting) link.send({ t: "msg", id: turn.id, text: turn.question });
      }, frame.after_ms || 1000);
      return;
    }
    tell(label(frame.code) || label("failed"));
    if (turn?.waiting) {
      talk.drop(turn.id);
      views.get(turn.id)?.node.remove();
      views.delete(turn.id);
      question.value ||= turn.question;
    }
    refresh();
  }

  function draw(turn: Turn): void {
    let view = views.get(turn.id);
    if (!view) {
      view = new TurnView(
        labels,
        {
          vote: (voted, v) => link.send({ t: "vote", msg: voted.id, v }),
          retry: (again) => link.send({ t: "retry", turn: again.id }),
        },
        boot.contact ?? "",
      );
      views.set(turn.id, view);
      log.append(view.node);
    }
    view.draw(turn);
  }

  function redraw(): void {
    for (const [id, view] of views) {
      view.node.remove();
      views.delete(id);
    }
    ordered.remove();
    // The page got shorter by itself.
    seenTop = 0;
    for (const turn of talk.turns.values()) draw(turn);
  }

  function refresh(): void {
    const busy = talk.running !== null;
    send.textContent = label(busy ? "stop" : "send");
    send.classList.toggle("stop", busy);
    starters.hidden = talk.turns.size > 0 || ended;
    follow();
    if (attached) pin();
    else jump.hidden = false;
  }

  /** Any scroll up lets go of the newest words, being at the end holds on to them. */
  function follow(): void {
    const top = scroller.scrollTop;
    const left = scroller.scrollHeight - top - scroller.clientHeight;
    if (left < 2) attached = true;
    else if (top < seenTop - 1) attached = false;
    else if (top > seenTop && left < NEAR_PX) attached = true;
    seenTop = top;
  }

  function pin(): void {
    attached = true;
    jump.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
    seenTop = scroller.scrollTop;
  }

  function ask(text: string): boolean {
    const clean = text.trim();
    if (!clean || ended) return false;
    if (count(clean) > boot.limits.text) {
      tell(label("too_long"));
      return false;
    }
    tell("");
    const turn = talk.ask(clean, newId());
    draw(turn);
    pin();
    say(label("thinking"));
    link.send({ t: "msg", id: turn.id, text: turn.question });
    refresh();
    return true;
  }

  function stop(): void {
    const turn = talk.running;
    if (turn) link.send({ t: "cancel", turn: turn.id });
  }

  /** While an answer is written a question waits its turn. */
  function submit(): void {
    const text = question.value;
    if (ask(text)) question.value = "";
    question.focus();
  }

  composer.onsubmit = (event) => {
    event.preventDefault();
    if (talk.running) stop();
    else submit();
  };
  question.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  document.addEventListener("keydown", (event) => event.key === "Escape" && stop());
  scroller.onscroll = () => {
    follow();
    if (attached) jump.hidden = true;
  };
  jump.onclick = pin;
  // The keyboard of a phone, or the opened cart, takes the room from below.
  new ResizeObserver(() => attached && pin()).observe(scroller);
  for (const button of starters.querySelectorAll("button"))
    button.onclick = () => {
      ask(button.textContent ?? "");
      if (matchMedia("(hover: hover)").matches) question.focus();
    };

  for (const image of document.querySelectorAll<HTMLImageElement>(".cart img")) {
    if (image.complete && image.naturalWidth === 0) image.remove();
    else image.onerror = () => image.remove();
  }
  byId<HTMLDetailsElement>("cart").open = matchMedia("(min-width: 60rem)").matches;
  composer.hidden = false;
  starters.hidden = false;
  link.start();
}

function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Plain http has no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

const reload = document.getElementById("reload");
const data = document.getElementById("boot");
if (reload) goBack(reload);
else if (data) {
  const boot = JSON.parse(data.textContent ?? "") as Boot;
  sessionStorage.setItem(KEPT_TOKEN, boot.token);
  history.replaceState(null, "", "/a");
  chat(boot);
}
