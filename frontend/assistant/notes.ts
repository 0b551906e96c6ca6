/** Lines between the turns: what became of the cart, and that a person was asked. Each stands where it came last. */

import { button, byId, element, type Labels, say } from "./dom.ts";
import type { Shown } from "./talk.ts";

export interface Notes {
  /** The cart became an order, or none again; a page that was opened later says so at its top. */
  ordered(is: boolean, live: boolean): void;
  cart(cart: Shown, live: boolean): void;
  person(address: string, at: string, live: boolean): void;
  clear(): void;
}

export function openNotes(
  labels: Labels,
  shop: string,
  take: (line: string, product: string) => void,
): Notes {
  const log = byId("log");
  const orderedNote = element("p", "note");
  const cartNote = element("p", "note");
  const personNote = element("p", "note");

  function tell(note: HTMLElement, text: string, live: boolean): void {
    note.textContent = text;
    log.append(note);
    if (live) say(text);
  }

  return {
    ordered(is, live) {
      if (!is) orderedNote.remove();
      else if (!orderedNote.isConnected) tell(orderedNote, labels("ordered"), live);
    },
    cart({ id, lines }, live) {
      if (!id) {
        tell(cartNote, labels("cart_changed"), live);
        return;
      }
      const taken = lines.filter((line) => line.was).at(-1);
      if (!taken) {
        if (cartNote.isConnected) tell(cartNote, labels("cart_as_before"), live);
        return;
      }
      tell(cartNote, labels("cart_taken", { name: taken.name }), live);
      const undo = button("plain", labels("undo"), () => {
        undo.disabled = true;
        take(taken.product_id, taken.was as string);
      });
      cartNote.append(" ", undo);
    },
    person(address, at, live) {
      const time = new Date(at).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
      tell(personNote, labels("person_sent", { shop, address, time }), live);
    },
    clear() {
      for (const note of [orderedNote, cartNote, personNote]) note.remove();
    },
  };
}
