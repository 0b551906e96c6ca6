/** Draws one turn, a question and its answer, again and again as it grows. */

import { cardItem, type InCart } from "./cards.ts";
import { button, byId, element, type Labels } from "./dom.ts";
import type { Turn } from "./talk.ts";

export interface Acts extends InCart {
  vote(turn: Turn, value: number): void;
  retry(turn: Turn): void;
}

export interface TurnView {
  readonly node: HTMLElement;
  /** The turn as it stands; `away`: the server can't be reached, so nobody is thinking about it. */
  draw(turn: Turn, away: boolean): void;
  /** The cards once more, since the cart has changed. */
  redrawCards(turn: Turn): void;
}

/** What is told of an answer that is not whole: a label's name. */
export const noteOf = (turn: Turn): string =>
  ({ cancelled: "stopped", cut: "cut", error: "failed" })[turn.finish as string] ?? "";

export function turnView(labels: Labels, acts: Acts, contact: string): TurnView {
  const node = element("div", "turn");
  const question = element("div", "you");
  const queued = element("small", "queued", labels("waiting"));
  const dots = element("p", "dots");
  const text = element("p", "says");
  const cards = element("ul", "cards");
  const foot = element("div", "foot");
  let drawnFoot = "";
  question.dir = text.dir = "auto";
  dots.append(element("span"), element("span"), element("span"));
  dots.ariaHidden = "true";
  // It scrolls sideways, by keys too.
  cards.tabIndex = 0;
  cards.ariaLabel = labels("products");
  const you = element("h2", "unseen", labels("you"));
  const says = element("h2", "unseen", labels("says"));
  node.append(you, question, queued, says, dots, text, cards, foot);

  function redrawCards(turn: Turn): void {
    cards.replaceChildren(...turn.cards.map((card) => cardItem(card, labels, acts)));
    cards.hidden = turn.cards.length === 0;
  }

  function draw(turn: Turn, away: boolean): void {
    const over = turn.finish !== null;
    question.textContent = turn.question;
    queued.hidden = !turn.waiting;
    dots.hidden = turn.text !== "" || over || (turn.waiting && away);
    if (over) text.replaceChildren(...linked(turn.text, contact, labels("contact")));
    else text.textContent = turn.text;
    text.hidden = turn.text === "";
    if (turn.cards.length !== cards.childElementCount) redrawCards(turn);
    cards.hidden = turn.cards.length === 0;
    const wanted = `${turn.finish} ${turn.vote}`;
    if (wanted !== drawnFoot) {
      drawnFoot = wanted;
      // A button that was pressed by key keeps the focus, though it is another one now.
      const focused = [...foot.children].indexOf(document.activeElement as Element);
      foot.replaceChildren(...footer(turn, labels, acts));
      (foot.children[focused] as HTMLElement | undefined)?.focus();
    }
    foot.hidden = !over;
  }

  return { node, draw, redrawCards };
}

/** The text with the shop's own contact address, and no other, as a link that says where it leads. */
function linked(text: string, contact: string, name: string): Node[] {
  const parts = contact ? text.split(contact) : [text];
  return parts.flatMap((part, index) => {
    if (index === 0) return [new Text(part)];
    const link = element("a", "", name);
    link.href = contact;
    link.rel = "noreferrer";
    return [link, new Text(part)];
  });
}

function footer(turn: Turn, labels: Labels, acts: Acts): Node[] {
  const note = noteOf(turn);
  const nodes: Node[] = [];
  if (note) {
    const again = button("plain", labels("retry"), () => {
      again.disabled = true;
      acts.retry(turn);
    });
    nodes.push(element("span", "note", labels(note)), again);
  }
  if (turn.text && turn.finish !== "error")
    nodes.push(thumb(turn, 1, labels, acts), thumb(turn, -1, labels, acts));
  return nodes;
}

function thumb(turn: Turn, value: number, labels: Labels, acts: Acts): HTMLButtonElement {
  const made = button(value > 0 ? "thumb" : "thumb down", "", () =>
    acts.vote(turn, turn.vote === value ? 0 : value),
  );
  // The picture stands in the server's HTML: scripts of this page make no HTML.
  made.append(byId<HTMLTemplateElement>("thumb").content.cloneNode(true));
  made.ariaLabel = made.title = labels(value > 0 ? "good" : "bad");
  made.ariaPressed = String(turn.vote === value);
  return made;
}
