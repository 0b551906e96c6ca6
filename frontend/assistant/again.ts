/** Asks for a fresh link to a conversation whose time is over; it comes by mail. */

import { byId, type Labels } from "./dom.ts";

export function offerAgain(token: string, labels: Labels): void {
  const button = byId<HTMLButtonElement>("again");
  const told = byId("again-told");
  button.hidden = false;
  button.onclick = async () => {
    button.disabled = true;
    told.textContent = labels("sending");
    const [text, final] = await ask(token, labels);
    told.textContent = text;
    button.disabled = false;
    button.hidden = final;
  };
}

/** What came of it, and whether asking once more is of no use. */
async function ask(token: string, labels: Labels): Promise<[string, boolean]> {
  let answer: Response;
  try {
    answer = await fetch("/api/assistant/again", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
  } catch {
    return [labels("again_offline"), false];
  }
  if (answer.status === 202) {
    const { sent_to } = (await answer.json()) as { sent_to: string };
    return [labels("again_sent", { address: sent_to }), true];
  }
  if (answer.status === 429) {
    const minutes = Math.ceil(Number(answer.headers.get("Retry-After") || 60) / 60);
    return [labels("again_wait", { minutes: String(minutes) }), false];
  }
  // What stands before the server may answer in its own words.
  const { error = "" } = (await answer.json().catch(() => ({}))) as { error?: string };
  const own = labels(`again_${error}`);
  const final = answer.status < 429;
  return [own || labels(final ? "again_gone" : "again_offline"), final];
}
