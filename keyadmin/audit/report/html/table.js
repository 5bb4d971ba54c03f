// The table: of any number of lines only those near the window are in the document.

import { make } from "../../../data/pages/dom.js";
import { Rows } from "./rows.js";

const BEYOND = 8; // rows above and below the window
const GUESS = 280; // pixels of what stands below an open row, until it was measured
const ON_PAPER = 500; // keys; more are said, not printed

export class KeyTable {
  constructor(table, report, owned) {
    this.body = table.tBodies[0];
    this.table = table;
    this.report = report;
    this.rows = new Rows(report, owned);
    this.lines = []; // numbers of rows; -1 - the place of a group
    this.groups = [];
    this.open = new Set(); // numbers of rows
    this.heights = new Map(); // of what stands below them
    this.live = new Map(); // place -> its elements
    this.above = make("tr", { class: "space", role: "presentation" });
    this.below = make("tr", { class: "space", role: "presentation" });
    this.body.append(this.above, this.below);
    this.printing = false;
    let asked = false;
    const later = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        this.render();
      });
    };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", () => {
      this.heights.clear();
      this.show(this.lines, this.groups, this.onGroup);
    });
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    this.body.addEventListener("keydown", (event) => this.move(event));
  }

  show(lines, groups, onGroup) {
    this.lines = lines;
    this.groups = groups;
    this.onGroup = onGroup;
    this.height = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 58;
    this.table.setAttribute("aria-rowcount", lines.length + 1);
    this.drop();
    this.measure();
    this.render();
  }

  drop() {
    for (const elements of this.live.values()) for (const each of elements) each.remove();
    this.live.clear();
  }

  // Where open rows are, and what they add: [place, pixels], in order.
  measure() {
    this.extras = [];
    if (!this.open.size) return;
    this.lines.forEach((line, place) => {
      if (this.open.has(line)) this.extras.push([place, this.heights.get(line) ?? GUESS]);
    });
  }

  offset(place) {
    let pixels = place * this.height;
    for (const [at, extra] of this.extras) {
      if (at >= place) break;
      pixels += extra;
    }
    return pixels;
  }

  // The line at a height.
  at(pixels) {
    let low = 0;
    let high = this.lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offset(middle) <= pixels) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  render() {
    if (this.printing) return;
    const top = -this.body.getBoundingClientRect().top;
    const from = Math.max(0, this.at(top) - BEYOND);
    const to = Math.min(this.lines.length, this.at(top + innerHeight) + 1 + BEYOND);
    for (const [place, elements] of this.live) {
      if (place >= from && place < to) continue;
      for (const each of elements) each.remove();
      this.live.delete(place);
    }
    let before = this.above;
    for (let place = from; place < to; place++) {
      let elements = this.live.get(place);
      if (!elements) {
        elements = this.line(place);
        this.live.set(place, elements);
        before.after(...elements);
      }
      before = elements[elements.length - 1];
    }
    this.above.style.height = `${this.offset(from)}px`;
    this.below.style.height = `${this.offset(this.lines.length) - this.offset(to)}px`;
    if (this.remeasured()) this.render();
  }

  remeasured() {
    let changed = false;
    for (const [place, elements] of this.live) {
      if (elements.length < 2) continue;
      const pixels = elements[1].offsetHeight;
      if (this.heights.get(this.lines[place]) !== pixels) {
        this.heights.set(this.lines[place], pixels);
        changed = true;
      }
    }
    if (changed) this.measure();
    return changed;
  }

  line(place) {
    const line = this.lines[place];
    if (line < 0) {
      const group = this.groups[-1 - line];
      return [this.rows.group(group, place + 1, group.open, () => this.onGroup(group, place))];
    }
    const row = this.report.rows[line];
    const open = this.open.has(line);
    const elements = [this.rows.key(row, place + 1, open, () => this.toggle(place))];
    if (open) elements.push(this.rows.more(row));
    return elements;
  }

  toggle(place) {
    const line = this.lines[place];
    if (!this.open.delete(line)) this.open.add(line);
    this.drop();
    this.measure();
    this.render();
    this.focus(place);
  }

  // The arrows, Home and End go from row to row.
  move(event) {
    const place = [...this.live].find(([, elements]) => elements[0].contains(event.target))?.[0];
    if (place === undefined || event.target.className === "copy") return;
    const last = this.lines.length - 1;
    const wanted = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: last }[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.focus(Math.min(last, Math.max(0, wanted)));
  }

  focus(place) {
    const head = this.table.tHead.getBoundingClientRect().bottom;
    const box = this.body.getBoundingClientRect().top;
    const top = box + this.offset(place);
    if (top < head) scrollBy(0, top - head - this.height);
    else if (top + this.height > innerHeight) scrollBy(0, top + 2 * this.height - innerHeight);
    this.render();
    this.live.get(place)?.[0].querySelector("button").focus({ preventScroll: true });
  }

  // On paper: every key that is shown, whole, up to a number.
  print(begins) {
    const cut = document.getElementById("cut");
    this.drop();
    this.printing = begins;
    cut.hidden = true;
    if (!begins) {
      this.render();
      return;
    }
    for (const space of [this.above, this.below]) space.style.height = "0";
    const shown = this.lines.slice(0, ON_PAPER);
    shown.forEach((line, place) => {
      const elements = line < 0 ? this.line(place) : [this.line(place)[0], this.rows.more(this.report.rows[line])];
      this.live.set(place, elements);
      this.below.before(...elements);
    });
    if (shown.length < this.lines.length) {
      cut.hidden = false;
      cut.textContent = `The first ${shown.length} of ${this.lines.length} lines are printed. Filter the page to print others.`;
    }
  }
}
