/** The assistant's pages: the conversation, the page of an expired link, and the one that leads back to them. */

import "./style.css";
import { offerAgain } from "./again.ts";
import { type Boot, openChat } from "./chat.ts";
import { labelsOf } from "./dom.ts";

const KEPT_TOKEN = "cartback.token";

/** The page behind `/a`: back to the link that this tab opened, or the words that are there already. */
function goBack(shown: HTMLElement): void {
  const token = sessionStorage.getItem(KEPT_TOKEN);
  if (token) location.replace(`/a/${encodeURIComponent(token)}`);
  else shown.hidden = false;
}

const reload = document.getElementById("reload");
const data = document.getElementById("boot");
if (reload) goBack(reload);
else if (data) {
  const boot = JSON.parse(data.textContent ?? "") as Boot;
  sessionStorage.setItem(KEPT_TOKEN, boot.token);
  history.replaceState(null, "", "/a");
  if (document.getElementById("composer")) openChat(boot);
  else offerAgain(boot.token, labelsOf(boot.texts));
}
