/** Holds on to the newest words while the reader is at the end, and lets go at any scroll up. */

import { byId } from "./dom.ts";

const NEAR_PX = 48;

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

  function follow(): void {
    const top = node.scrollTop;
    const left = node.scrollHeight - top - node.clientHeight;
    if (left < 2) attached = true;
    else if (top < seenTop - 1) attached = false;
    else if (top > seenTop && left < NEAR_PX) attached = true;
    seenTop = top;
  }

  function pin(): void {
    attached = true;
    jump.hidden = true;
    node.scrollTop = node.scrollHeight;
    seenTop = node.scrollTop;
  }

  node.onscroll = () => {
    follow();
    if (attached) jump.hidden = true;
  };
  jump.onclick = pin;
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
