/** Draws turns into the page: only by textContent and properties, so that no text can be more than text. */

import type { Card } from "./frames.ts";
import type { Turn } from "./talk.ts";

export type Labels = Record<string, string>;

export interface Acts {
  vote(turn: Turn, value: number): void;
  retry(turn: Turn): void;
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  text = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** One turn on the page. */
export class TurnView {
  readonly node = element("div", "turn");
  private readonly question = element("div", "you");
  private readonly answer = element("div", "says");
  private readonly text = element("p");
  private readonly dots = element("p", "dots");
  private readonly cards = element("ul", "cards");
  private readonly foot = element("div", "foot");
  private drawnCards = 0;
  private drawnFoot = "";
  private readonly labels: Labels;
  private readonly acts: Acts;
  private readonly contact: string;

  constructor(labels: Labels, acts: Acts, contact: string) {
    this.labels = labels;
    this.acts = acts;
    this.contact = contact;
    this.dots.append(element("span"), element("span"), element("span"));
    this.dots.ariaHidden = "true";
    // It scrolls sideways, by keys too.
    this.cards.tabIndex = 0;
    this.answer.append(this.dots, this.text, this.cards, this.foot);
    this.node.append(this.question, this.answer);
  }

  draw(turn: Turn): void {
    this.question.textContent = turn.question;
    this.question.classList.toggle("waiting", turn.waiting);
    this.question.title = turn.waiting ? (this.labels.waiting ?? "") : "";
    this.dots.hidden = turn.text !== "" || turn.finish !== null;
    if (turn.finish === null) this.text.textContent = turn.text;
    else this.text.replaceChildren(...this.linked(turn.text));
    this.text.hidden = turn.text === "";
    if (turn.cards.length !== this.drawnCards) {
      this.drawnCards = turn.cards.length;
      this.cards.replaceChildren(...turn.cards.map((card) => this.card(card)));
    }
    this.cards.hidden = turn.cards.length === 0;
    const foot = `${turn.finish} ${turn.vote}`;
    if (foot !== this.drawnFoot) {
      this.drawnFoot = foot;
      this.foot.replaceChildren(...this.footer(turn));
    }
    this.foot.hidden = turn.finish === null;
  }

  /** The text with the shop's own contact address, and no other, as a link. */
  private linked(text: string): Node[] {
    const parts = this.contact ? text.split(this.contact) : [text];
    return parts.flatMap((part, index) => {
      if (index === 0) return [new Text(part)];
      const link = element("a", "", this.contact);
      link.href = this.contact;
      link.rel = "noreferrer";
      return [link, new Text(part)];
    });
  }

  private card(card: Card): HTMLElement {
    const item = element("li");
    const url = card.url && /^https?:\/\//.test(card.url) ? card.url : "";
    const box = url ? element("a", "card") : element("div", "card");
    if (box instanceof HTMLAnchorElement) {
      box.href = url;
      box.rel = "noreferrer noopener";
      box.target = "_blank";
    }
    if (card.image && /^https?:\/\//.test(card.image)) {
      const image = element("img");
      image.src = card.image;
      image.alt = "";
      image.loading = "lazy";
      image.onerror = () => image.remove();
      box.append(image);
    }
    const stock = card.in_stock ? this.labels.in_stock : this.labels.out_of_stock;
    box.append(
      element("strong", "", card.name),
      element("span", "price", card.price),
      element("small", "", [card.why, stock].filter(Boolean).join(" · ")),
    );
    item.append(box);
    return item;
  }

  private footer(turn: Turn): Node[] {
    const note = { cancelled: "stopped", cut: "cut", error: "failed" }[turn.finish as string];
    const nodes: Node[] = note ? [element("span", "", this.labels[note])] : [];
    if (note) {
      const again = element("button", "plain", this.labels.retry);
      again.type = "button";
      again.onclick = () => {
        again.disabled = true;
        this.acts.retry(turn);
      };
      nodes.push(again);
    }
    if (turn.text && turn.finish !== "error") nodes.push(this.thumb(turn, 1), this.thumb(turn, -1));
    return nodes;
  }

  private thumb(turn: Turn, value: number): HTMLButtonElement {
    const button = element("button", "thumb", this.labels[value > 0 ? "good" : "bad"]);
    button.type = "button";
    button.ariaPressed = String(turn.vote === value);
    button.onclick = () => this.acts.vote(turn, turn.vote === value ? 0 : value);
    return button;
  }
}
