/** Where a question is typed: keys, the button that sends or stops, and nothing of what becomes of it. */

import { byId, type Labels } from "./dom.ts";

export interface Composer {
  running(busy: boolean): void;
  /** Give a question back that was refused, unless another is being typed. */
  putBack(text: string): void;
  /** On a phone that would open the keyboard over the answer. */
  focusWithoutKeyboard(): void;
  close(): void;
}

/** `ask` says whether it took the question; what it did not take stays in the field. */
export function openComposer(labels: Labels, ask: (text: string) => boolean, stop: () => void): Composer {
  const form = byId<HTMLFormElement>("composer");
  const field = byId<HTMLTextAreaElement>("question");
  const send = byId<HTMLButtonElement>("send");
  let busy = false;

  function submit(): void {
    if (ask(field.value)) field.value = "";
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    // While an answer is written, Enter lets the next question wait its turn; the button stops.
    if (busy) stop();
    else submit();
    field.focus();
  };
  field.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop();
  });
  form.hidden = false;

  return {
    running(now) {
      busy = now;
      send.classList.toggle("stop", busy);
      send.ariaLabel = send.title = labels(busy ? "stop" : "send");
    },
    putBack(text) {
      field.value ||= text;
    },
    focusWithoutKeyboard() {
      if (matchMedia("(hover: hover)").matches) field.focus();
    },
    close() {
      form.hidden = true;
    },
  };
}
