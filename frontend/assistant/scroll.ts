/**
 * Holds on to the newest words while the reader is at the end, and lets go at any scroll up. The last question stays in
 * sight: an answer longer than the screen is read from its beginning.
 */

import { byId } from "./dom.ts";

const NEAR_PX = 48;
const MARGIN_PX = 16;

export interface Scroll {
  /** Something was drawn. */
  grown(): void;
  /** The page got shorter by itself. */
  shrunk(): void;
  /** Go to the end and hold on. */
  pin(): void;
}

export function openScroll(): Scroll {
  const node = byId("scroll");
  const jump = byId("jump");
  let attached = true;
  let seenTop = 0;

  /** How much there is below what can be seen. */
  const rest = () => node.scrollHeight - node.scrollTop - node.clientHeight;

  function follow(): void {
    const top = node.scrollTop;
    const left = rest();
    if (left < 2) attached = true;
    else if (top < seenTop - 1) attached = false;
    else if (top > seenTop && left < NEAR_PX) attached = true;
    seenTop = top;
  }

  /** As far down as the last question stays in sight, and never back up. */
  function pin(): void {
    attached = true;
    const last = byId("log").lastElementChild as Element;
    const above = last.getBoundingClientRect().top - node.getBoundingClientRect().top - MARGIN_PX;
    node.scrollTop += Math.max(0, above);
    seenTop = node.scrollTop;
    jump.hidden = rest() < NEAR_PX;
  }

  node.onscroll = () => {
    follow();
    if (attached) jump.hidden = rest() < NEAR_PX;
  };
  jump.onclick = () => {
    node.scrollTop = node.scrollHeight;
    pin();
  };
  // The keyboard of a phone, or the opened cart, takes the room from below.
  new ResizeObserver(() => attached && pin()).observe(node);

  return {
    pin,
    grown() {
      follow();
      if (attached) pin();
      else jump.hidden = false;
    },
    shrunk() {
      seenTop = 0;
    },
  };
}
