/** What could be asked next: by one tap, from what the shop's data can answer, nothing twice. */

import { button, byId, type Labels } from "./dom.ts";
import type { Turn } from "./talk.ts";

const AT_FIRST = 4;
const LATER = 3;
const LONGEST_NAME = 48;

/** The next suggestions, the best first: about what was just shown, then what the server said can be answered. */
export function next(known: string[], turns: Turn[], labels: Labels): string[] {
  const asked = new Set(turns.map((turn) => turn.question.trim().toLowerCase()));
  const shown = turns
    .at(-1)
    ?.cards.find((card) => card.in_stock && !card.instead_of && card.name.length <= LONGEST_NAME);
  const about = shown ? [labels("about_card", { name: shown.name })] : [];
  return [...about, ...known]
    .filter((text) => text && !asked.has(text.toLowerCase()))
    .slice(0, turns.length ? LATER : AT_FIRST);
}

/** Draw them, with the way to a person at their end. */
export function drawSuggestions(texts: string[], ask: (text: string) => void, person: Node | null): void {
  const place = byId("starters");
  const wanted = texts.join("\n");
  // A chip that stays keeps the focus.
  if (place.dataset.drawn === wanted) return;
  place.dataset.drawn = wanted;
  place.replaceChildren(...texts.map((text) => button("chip", text, () => ask(text))));
  if (person) place.append(person);
}
