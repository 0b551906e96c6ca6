/** Text as the protocol counts it: offsets and lengths are Unicode code points, not UTF-16 units. */

/** How many code points `text` has. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** What follows the first `offset` code points; empty past the end, and never half a code point. */
export function sliceFrom(text: string, offset: number): string {
  let unit = 0;
  for (const point of text) {
    if (offset <= 0) break;
    offset -= 1;
    unit += point.length;
  }
  return text.slice(unit);
}
