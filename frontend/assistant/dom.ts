/** Makes elements: only by textContent and properties, so that no text can be more than text. */

/** The page's words by name, with `{name}` in them filled. */
export type Labels = (name: string, values?: Record<string, string>) => string;

export const labelsOf =
  (texts: Record<string, string>): Labels =>
  (name, values = {}) =>
    (texts[name] ?? "").replace(/\{(\w+)\}/g, (all, key: string) => values[key] ?? all);

export const byId = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;

/** An element with a class and a text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  text = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A button that submits nothing. */
export function button(className: string, text: string, act?: () => void): HTMLButtonElement {
  const made = element("button", className, text);
  made.type = "button";
  if (act) made.onclick = act;
  return made;
}

/** The address if it leads to a page or picture on the web, else an empty text. */
export function webAddress(url: string | null | undefined): string {
  return url && /^https?:\/\//i.test(url) ? url : "";
}

/** A picture that is taken away where it can't be loaded. */
export function picture(url: string, size: number): HTMLImageElement {
  const made = element("img");
  made.alt = "";
  made.width = made.height = size;
  made.loading = "lazy";
  made.onerror = () => made.remove();
  made.src = url;
  return made;
}

/** Say something once to who listens instead of reading. */
export function say(text: string): void {
  byId("spoken").textContent = text;
}
