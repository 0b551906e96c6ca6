/** How long to wait before the next try, and what a close code asks for. */

export const CAP_MS = 15_000;
const FIRST_MS = 500;

/** Doubling from half a second up to the cap, anywhere between half of that and all of it. */
export function delay(tries: number, random = Math.random): number {
  const most = Math.min(CAP_MS, FIRST_MS * 2 ** tries);
  return most / 2 + (most / 2) * random();
}

export type Next = "again" | "renew" | "over" | "wait" | "crowded";

/** What to do after a socket was closed with this code. */
export function after(code: number): Next {
  switch (code) {
    case 4401:
      return "renew";
    case 4403:
    case 4404:
      return "over";
    case 4408:
      return "wait";
    case 4409:
      return "crowded";
    default:
      return "again";
  }
}
