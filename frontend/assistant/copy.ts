/** Gives something away from the page: by the phone's own sheet where there is one, else by copying it. */

import { element, type Labels, say } from "./dom.ts";

const SHOWN_MS = 2500;

/** Copy `text`, and let the button say so for a while. */
export async function copied(text: string, button: HTMLElement, labels: Labels): Promise<void> {
  const label = button.dataset.label ?? button.textContent ?? "";
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http has no clipboard: there it is to copy by hand.
    const field = element("input", "copy");
    field.value = text;
    field.readOnly = true;
    field.ariaLabel = label;
    button.replaceWith(field);
    field.select();
    return;
  }
  button.textContent = labels("copied");
  say(labels("copied"));
  setTimeout(() => {
    button.textContent = label;
  }, SHOWN_MS);
}

export async function share(url: string, title: string, button: HTMLElement, labels: Labels): Promise<void> {
  // On a desk the sheet is a detour.
  if (typeof navigator.share === "function" && matchMedia("(pointer: coarse)").matches) {
    try {
      await navigator.share({ title, url });
      return;
    } catch (error) {
      if ((error as DOMException).name === "AbortError") return;
    }
  }
  await copied(url, button, labels);
}
