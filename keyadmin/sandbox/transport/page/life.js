// The life of one key, in a dialog.

import { make } from "../../../data/pages/dom.js";
import { complain, post, Refused } from "./server.js";

export async function showLife(table, row) {
  try {
    const { life } = await post("page", { table, row });
    const by = (id) => document.getElementById(id);
    by("life-title").textContent = life.title;
    const facts = life.facts.flatMap(([name, text]) => [make("dt", { text: name }), make("dd", { text })]);
    by("life-facts").replaceChildren(...facts);
    const events = life.events.map(([at, who, what, more]) =>
      make(
        "li",
        {},
        make("time", { text: at }),
        make("b", { text: what }),
        who ? ` by ${who}` : "",
        more ? make("div", { text: more }) : null,
      ),
    );
    by("life-events").replaceChildren(...events);
    if (!by("life").open) by("life").showModal();
  } catch (error) {
    complain(error instanceof Refused ? error.message : "The sandbox does not answer.");
  }
}

export function closes() {
  const dialog = document.getElementById("life");
  document.getElementById("life-close").addEventListener("click", () => dialog.close());
}
