// The page: one table at a time, anew every second.

import { make, themes } from "../../../data/pages/dom.js";
import { conditions } from "./conditions.js";
import { closes } from "./life.js";
import { TableView } from "./tables.js";

const EVERY = 1000; // milliseconds

class SandboxPage {
  constructor() {
    this.by = (id) => document.getElementById(id);
    this.views = [...document.querySelectorAll("main > section")].map((section) => new TableView(section));
    this.tabs = this.views.map((view) => this.tab(view));
    this.by("tabs").append(...this.tabs);
    this.by("tabs").hidden = false;
    this.by("rest").hidden = false;
    const known = JSON.parse(this.by("known").textContent);
    conditions(this.by("conditions"), known, () => this.view.refresh());
    closes();
    addEventListener("hashchange", () => this.choose(location.hash.slice(1)));
    this.by("tabs").addEventListener("keydown", (event) => this.move(event));
    this.choose(location.hash.slice(1));
    scrollTo(0, 0);
    this.run();
  }

  tab(view) {
    const tab = make("button", {
      type: "button",
      role: "tab",
      id: `tab-${view.id}`,
      "aria-controls": view.id,
      text: view.title,
    });
    tab.addEventListener("click", () => {
      history.replaceState(null, "", `#${view.id}`); // a jump to it would take the focus away
      this.choose(view.id);
    });
    view.section.setAttribute("role", "tabpanel");
    view.section.setAttribute("aria-labelledby", tab.id);
    return tab;
  }

  choose(id) {
    const found = this.views.findIndex((view) => view.id === id);
    const place = Math.max(0, found);
    this.view = this.views[place];
    this.views.forEach((view, at) => {
      view.section.hidden = at !== place;
      this.tabs[at].setAttribute("aria-selected", String(at === place));
      this.tabs[at].tabIndex = at === place ? 0 : -1;
    });
    this.refresh();
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const place = this.tabs.indexOf(event.target);
    if (!step || place < 0) return;
    const next = this.tabs[(place + step + this.tabs.length) % this.tabs.length];
    next.focus();
    next.click();
  }

  async refresh() {
    const state = this.by("state");
    try {
      this.by("now").textContent = await this.view.refresh();
      state.textContent = "live";
      state.className = "";
    } catch {
      state.textContent = "not connected";
      state.className = "off";
    }
  }

  async run() {
    if (this.by("pause").checked) this.by("state").textContent = "paused";
    else if (!document.hidden) await this.refresh();
    setTimeout(() => this.run(), EVERY);
  }
}

themes();
globalThis.sandboxPage = new SandboxPage();
