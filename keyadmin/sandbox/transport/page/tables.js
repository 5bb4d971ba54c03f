// A table of the page: searched, sorted and paged by the sandbox, so that ten thousand projects are no more than a hundred rows.

import { clean, make } from "../../../data/pages/dom.js";
import { showLife } from "./life.js";
import { complain, post } from "./server.js";

const A_PAGE = 100; // rows
const A_LINE = 60; // characters that stay in one line
const LATER = 150; // milliseconds after the last letter

export class TableView {
  constructor(section) {
    this.id = section.id;
    this.section = section;
    this.title = section.querySelector("h2").textContent.replace(/ \(.*\)$/, "");
    this.wanted = { search: "", sort: null, down: false, offset: 0 };
    this.shown = "";
    this.tools();
    this.heads();
  }

  tools() {
    const label = `Search ${this.title}`;
    const box = make("input", { type: "search", placeholder: "words; !word excludes", "aria-label": label });
    this.previous = make("button", { type: "button", text: "Previous" });
    this.next = make("button", { type: "button", text: "Next" });
    this.count = make("span", { role: "status" });
    let waiting = 0;
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.want({ search: box.value, offset: 0 }), LATER);
    });
    this.previous.addEventListener("click", () => this.want({ offset: Math.max(0, this.wanted.offset - A_PAGE) }));
    this.next.addEventListener("click", () => this.want({ offset: this.wanted.offset + A_PAGE }));
    const tools = make("div", { class: "tools" }, box, this.previous, this.next, this.count);
    this.section.querySelector(".scroll").before(tools);
  }

  heads() {
    this.cells = [...this.section.querySelectorAll("thead th")];
    this.cells.forEach((cell, place) => {
      const button = make("button", { type: "button", text: cell.textContent });
      button.addEventListener("click", () => {
        const down = this.wanted.sort === place && !this.wanted.down;
        this.want({ sort: place, down, offset: 0 });
      });
      cell.replaceChildren(button);
    });
  }

  want(change) {
    this.wanted = { ...this.wanted, ...change };
    this.seen = undefined; // other rows than those that were seen
    this.refresh().catch(() => complain("The sandbox does not answer."));
  }

  // Ask, and show what came if it is another; an answer that was overtaken is dropped.
  async refresh() {
    const asked = this.wanted;
    const { now, table, seen } = await post("page", { table: this.id, ...asked, limit: A_PAGE, seen: this.seen });
    if (asked !== this.wanted || !table) return now;
    this.seen = seen;
    const text = JSON.stringify(table);
    if (text !== this.shown) {
      this.shown = text;
      this.show(table);
    }
    return now;
  }

  show(table) {
    this.section.querySelector("h2").textContent = this.title;
    this.section.querySelector(".note").textContent = table.note;
    const last = table.offset + table.rows.length;
    const total = table.total.toLocaleString("en");
    this.count.textContent = table.rows.length ? `${table.offset + 1} to ${last} of ${total}` : `none of ${total}`;
    this.previous.disabled = table.offset === 0;
    this.next.disabled = last >= table.total;
    this.cells.forEach((cell, place) => {
      if (place === this.wanted.sort) cell.setAttribute("aria-sort", this.wanted.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    const body = make("tbody", {}, ...table.rows.map((row) => this.row(row, table.life)));
    this.section.querySelector("tbody").replaceWith(body);
  }

  row(cells, life) {
    return make(
      "tr",
      {},
      ...cells.map((text, place) => {
        const kind = text.length < A_LINE ? "short" : null;
        if (!life || place !== 2) return make("td", { class: kind, text: clean(text) });
        const button = make("button", { type: "button", text: clean(text), "aria-label": `The life of ${clean(text)}` });
        button.addEventListener("click", () => showLife(this.id, cells));
        return make("td", { class: kind }, button);
      }),
    );
  }
}
