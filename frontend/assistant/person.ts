/** "A person, please": asks where the shop's people shall answer, by one tap where the cart has an address. */

import { byId, type Labels } from "./dom.ts";

export interface PersonDialog {
  open(): void;
  /** The request was taken. */
  done(): void;
  /** It was not, for the reason that a label tells. */
  refused(code: string): void;
}

export function personDialog(labels: Labels, send: (address?: string) => void): PersonDialog {
  const dialog = byId<HTMLDialogElement>("person");
  const form = byId<HTMLFormElement>("person-form");
  const field = byId<HTMLInputElement>("person-address");
  const told = byId("person-told");
  const own = document.getElementById("person-own");
  const other = document.getElementById("person-other");

  function tell(text: string): void {
    told.textContent = text;
  }

  function typeAddress(): void {
    form.hidden = false;
    if (other) other.hidden = true;
    own?.classList.remove("button");
    field.focus();
  }

  function ask(address?: string): void {
    tell(labels("sending"));
    send(address);
  }

  if (own) own.onclick = () => ask();
  if (other) other.onclick = typeAddress;
  form.onsubmit = (event) => {
    event.preventDefault();
    ask(field.value.trim());
  };
  byId("person-close").onclick = () => dialog.close();
  // A tap beside the dialog closes it, as people expect.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };

  return {
    open() {
      tell("");
      dialog.showModal();
    },
    done() {
      dialog.close();
    },
    refused(code) {
      tell(labels(code) || labels("failed"));
      if (code === "bad_address") typeAddress();
    },
  };
}
