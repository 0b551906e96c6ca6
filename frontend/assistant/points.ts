/** Text counted in Unicode code points, as the protocol counts it (JavaScript counts UTF-16 units). */

export function count(text: string): number {
  let points = 0;
  for (const _ of text) points += 1;
  return points;
}

/** The text from the code point `from` up to the code point `to`. */
export function slice(text: string, from: number, to = Number.POSITIVE_INFINITY): string {
  let index = 0;
  let cut = "";
  for (const point of text) {
    if (index >= to) break;
    if (index >= from) cut += point;
    index += 1;
  }
  return cut;
}

/** The first 8 bytes of the SHA-256 of a text in hex, or null where the browser has no crypto (plain http). */
export async function digest(text: string): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
