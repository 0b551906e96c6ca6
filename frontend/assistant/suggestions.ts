/** What could be asked next: by one tap, from what the shop's data can answer, nothing twice. */

import { button, byId, type Labels } from "./dom.ts";
import type { Turn } from "./talk.ts";

const AT_FIRST = 4;
const LATER = 3;
const LONGEST_NAME = 48;

/**
 * The next suggestions, the best first: about what was just shown and is not in the cart, then what the server said can
 * be answered. What was passed over goes behind the others.
 */
export function next(
  known: string[],
  turns: Turn[],
  labels: Labels,
  inCart: (product: string) => boolean,
): string[] {
  const asked = new Set(turns.map((turn) => turn.question.trim().toLowerCase()));
  const open = (text: string) => !asked.has(text.toLowerCase());
  const shown = turns
    .at(-1)
    ?.cards.find(
      ({ id, in_stock, instead_of, name }) =>
        in_stock && !instead_of && !inCart(id) && name.length <= LONGEST_NAME,
    );
  const about = shown ? [labels("about_card", { name: shown.name })] : [];
  const left = known.filter(open);
  const passed = turns.length ? ((turns.length - 1) * LATER) % (left.length || 1) : 0;
  return [...about.filter(open), ...left.slice(passed), ...left.slice(0, passed)].slice(
    0,
    turns.length ? LATER : AT_FIRST,
  );
}

/** Draw them, with the way to a person at their end, or before them where the last answer names it. */
export function drawSuggestions(
  texts: string[],
  ask: (text: string) => void,
  person: Node | null,
  first: boolean,
): void {
  const place = byId("starters");
  const wanted = [first, ...texts].join("\n");
  // A chip that stays keeps the focus.
  if (place.dataset.drawn === wanted) return;
  place.dataset.drawn = wanted;
  place.replaceChildren(...texts.map((text) => button("chip", text, () => ask(text))));
  if (person) place[first ? "prepend" : "append"](person);
}
