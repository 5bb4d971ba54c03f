// What the reader chose, and what follows from it.

import { make, themes } from "../../../data/pages/dom.js";
import { charts } from "./charts.js";
import { Report, SEVERITIES } from "./data.js";
import { choose, grouped, NOTHING, sorted, sorting } from "./lines.js";
import { KeyTable } from "./table.js";

class Page {
  constructor(report) {
    this.report = report;
    this.by = (id) => document.getElementById(id);
    this.want = NOTHING;
    this.sort = { column: "severity", down: true };
    this.value = sorting(report);
    this.flipped = new Set(); // groups that are not as groups are at first
    const owned = report.owners.length > 0;
    const table = this.by("table");
    table.classList.toggle("owned", owned);
    this.columns = ["severity", "key", "project", owned ? "owner" : "", "findings", "age", "type"].filter(Boolean);
    this.table = new KeyTable(table, report, owned);
    this.heads();
    this.tools();
    this.by("keys").hidden = false;
    this.by("charts").hidden = report.rows.length === 0;
    this.refresh();
    new ResizeObserver(() => this.bar()).observe(this.by("tools"));
  }

  // How high the tools are that stay on top, so that the table's head stays below them.
  bar() {
    const tools = this.by("tools");
    const pixels = getComputedStyle(tools).position === "sticky" ? tools.offsetHeight : 0;
    document.documentElement.style.setProperty("--bar", `${pixels}px`);
  }

  heads() {
    const words = { severity: "Severity", key: "Key", project: "Project", owner: "Owner", findings: "Findings", age: "Age" };
    const row = this.by("table").tHead.rows[0];
    for (const column of this.columns) {
      const head = make("th", { role: "columnheader", scope: "col", class: column === "type" ? "fixed" : null });
      if (words[column]) {
        const button = make("button", { type: "button", text: words[column] });
        button.addEventListener("click", () => this.sortBy(column));
        head.append(button);
      } else head.append(make("span", { text: "What to type next" }));
      row.append(head);
    }
  }

  sortBy(column) {
    const again = this.sort.column === column;
    this.sort = { column, down: again ? !this.sort.down : column === "severity" };
    this.refresh();
  }

  tools() {
    const { report } = this;
    for (const severity of [3, 2, 1, 0]) {
      const button = make("button", { type: "button", text: SEVERITIES[severity], "data-severity": severity });
      button.addEventListener("click", () => {
        const others = this.want.severities.filter((each) => each !== severity);
        const on = others.length < this.want.severities.length;
        this.change({ severities: on ? others : [...others, severity] });
      });
      this.by("severities").append(button);
    }
    this.by("rule").append(...report.rules.map(([id], place) => make("option", { value: place, text: id })));
    const some = report.shapes.some((shape) => shape.accepted);
    const states = some
      ? [
          ["open", "open"],
          ["accepted", "accepted"],
          ["", "open and accepted"],
        ]
      : [["open", "open"]];
    this.by("state").append(...states.map(([value, text]) => make("option", { value, text })));
    this.by("state").parentElement.hidden = !some;
    this.by("fresh").hidden = !report.baseline;
    this.by("group").querySelector("[value=owner]").hidden = !report.owners.length;
    const listen = (id, event, change) => this.by(id).addEventListener(event, () => this.change(change(this.by(id))));
    listen("text", "input", (box) => ({ text: box.value }));
    listen("project", "input", (box) => ({ project: box.value }));
    listen("rule", "change", (box) => ({ rule: box.value === "" ? -1 : Number(box.value) }));
    listen("state", "change", (box) => ({ state: box.value }));
    listen("new", "change", (box) => ({ fresh: box.checked }));
    listen("group", "change", () => ({}));
    this.by("reset").addEventListener("click", () => this.reset());
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      event.preventDefault();
      this.by("text").focus();
    });
  }

  reset() {
    this.by("group").value = "";
    this.sort = { column: "severity", down: true };
    this.change(NOTHING);
  }

  change(wish) {
    this.want = { ...this.want, ...wish };
    this.flipped.clear();
    this.refresh();
    const top = this.by("table").getBoundingClientRect().top - this.by("tools").offsetHeight;
    if (top < 0 && getComputedStyle(this.by("tools")).position === "sticky") scrollBy(0, top);
    this.table.render();
  }

  // The boxes say what is wanted, whoever changed it.
  reflect() {
    const { want } = this;
    for (const id of ["text", "project"]) if (this.by(id).value !== want[id]) this.by(id).value = want[id];
    this.by("rule").value = want.rule < 0 ? "" : String(want.rule);
    this.by("state").value = want.state;
    this.by("new").checked = want.fresh;
    for (const button of this.by("severities").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(want.severities.includes(Number(button.dataset.severity))));
    }
    [...this.by("table").tHead.rows[0].cells].forEach((cell, place) => {
      const { column, down } = this.sort;
      if (this.columns[place] === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    const typed = want.project.trim().toLowerCase();
    const near = typed ? this.report.projects.filter(({ id }) => id.toLowerCase().includes(typed)).slice(0, 20) : [];
    this.by("projects").replaceChildren(...near.map(({ id }) => make("option", { value: id })));
  }

  refresh() {
    const { report, want } = this;
    const { chosen, counts } = choose(report, want);
    const rows = sorted(chosen, this.value(this.sort.column), this.sort.down);
    const total = report.rows.length;
    this.by("count").textContent = `${chosen.length.toLocaleString("en")} of ${total.toLocaleString("en")} keys`;
    this.chartsNow(counts);
    this.reflect();
    const by = this.by("group").value;
    if (by) this.inGroups(grouped(report, rows, by, want));
    else this.table.show(rows, [], null);
  }

  // The charts anew; whoever pressed a bar stays on it.
  chartsNow(counts) {
    const box = this.by("charts");
    const buttons = [...box.querySelectorAll("button")];
    const held = buttons.find((each) => each === document.activeElement);
    const mark = held && [held.closest(".chart").querySelector("h3").textContent, held.firstChild.textContent];
    box.replaceChildren(...charts(this.report, this.want, counts, (wish) => this.change(wish)));
    if (!mark) return;
    const again = [...box.querySelectorAll("button")].find(
      (each) => each.closest(".chart").querySelector("h3").textContent === mark[0] && each.firstChild.textContent === mark[1],
    );
    again?.focus({ preventScroll: true });
  }

  inGroups(groups) {
    const few = groups.length <= 12;
    const lines = [];
    groups.forEach((group, place) => {
      group.open = few !== this.flipped.has(group.label);
      lines.push(-1 - place);
      if (group.open) for (const row of group.rows) lines.push(row);
    });
    this.table.show(lines, groups, (group, place) => {
      if (!this.flipped.delete(group.label)) this.flipped.add(group.label);
      this.inGroups(groups);
      this.table.focus(place);
    });
  }
}

themes();
globalThis.keyadminPage = new Page(new Report(JSON.parse(document.getElementById("data").textContent)));
