// Elements: a key as a row, and all that is known of it below. Texts of others become text, never markup.

import { make } from "../../../data/pages/dom.js";
import { CLIENTS, date, SEVERITIES, TARGETS } from "./data.js";

// What was not read, in words (keyadmin/audit/judgement.py).
const UNREAD = { use: "what the key is used for", clients: "from where it is used" };

const badge = (severity) => make("span", { class: `badge ${SEVERITIES[severity]}`, text: SEVERITIES[severity] });

function say(text) {
  document.getElementById("said").textContent = text;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    say(`Copied: ${text}`);
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    say("The command is selected: copy it with the keyboard.");
  }
}

function toType(command, label) {
  const button = make("button", { type: "button", class: "copy", "aria-label": `Copy the command for ${label}`, text: "Copy" });
  button.addEventListener("click", () => copy(command, button));
  return [make("code", { text: command, title: command }), button];
}

export class Rows {
  constructor(report, owned) {
    this.report = report;
    this.owned = owned;
  }

  // `number` = its place among the lines, from 1 on.
  key(row, number, open, toggle) {
    const { report } = this;
    const label = report.label(row);
    const button = make("button", { type: "button", class: "open", "aria-expanded": String(open), text: label });
    button.addEventListener("click", toggle);
    const project = report.projects[row.project].id;
    const step = row.shape.steps[0];
    const days = report.days(row);
    const cell = (name, ...children) => make("td", { role: "cell", class: name }, ...children);
    const second = row.kind < 0 ? project : `${row.id}${row.name ? "" : " (no name)"}`;
    const named = make("span", { class: "named" }, button, ...this.marks(row));
    return make(
      "tr",
      { role: "row", class: "key", "aria-rowindex": number + 1 },
      cell("severity", badge(row.shape.severity)),
      make("th", { role: "rowheader", scope: "row", class: "key" }, named, make("code", { class: "second", text: second })),
      cell("project", project),
      this.owned ? cell("owner", report.ownerWords(row)) : null,
      cell("findings", ...this.chips(row)),
      cell("age", days === null ? "" : `${days} d`),
      cell("type", ...(step ? toType(report.text(step.command, row), label) : [])),
    );
  }

  marks(row) {
    const marks = [];
    if (row.shape.fresh) marks.push("new");
    if (!row.shape.open) marks.push("accepted");
    if (row.kind >= 0 && row.kind & 8) marks.push("deleted");
    return marks.map((text) => make("span", { class: "mark", text }));
  }

  chips(row) {
    const { findings } = row.shape;
    const chips = findings.slice(0, 2).map((each) => {
      const kind = each.accepted ? "accepted" : SEVERITIES[each.severity];
      return make("span", { class: `chip ${kind}`, text: this.report.rules[each.rule][0] });
    });
    const others = findings.length - chips.length;
    if (others) chips.splice(1, 0, make("span", { class: "chip info", text: `+${others}`, title: `and ${others} more` }));
    return chips;
  }

  group(group, number, open, toggle) {
    const button = make(
      "button",
      { type: "button", "aria-expanded": String(open) },
      make("span", { text: group.label }),
      make("span", { text: `${group.rows.length} ${group.rows.length === 1 ? "key" : "keys"}` }),
      ...[3, 2, 1, 0]
        .filter((severity) => group.counts[severity])
        .map((severity) => {
          const text = `${group.counts[severity]} ${SEVERITIES[severity]}`;
          return make("span", { class: SEVERITIES[severity], text });
        }),
    );
    button.addEventListener("click", toggle);
    const head = make("th", { role: "rowheader", scope: "rowgroup", "aria-colspan": this.owned ? 7 : 6 }, button);
    return make("tr", { role: "row", class: "group", "aria-rowindex": number + 1 }, head);
  }

  more(row) {
    const cell = make(
      "td",
      { role: "cell", "aria-colspan": this.owned ? 7 : 6 },
      this.known(row),
      make("h3", { text: "What was found" }),
      make("ul", {}, ...row.shape.findings.map((each) => this.finding(each, row))),
      ...this.steps(row),
    );
    return make("tr", { role: "row", class: "more" }, cell);
  }

  known(row) {
    const { report } = this;
    const pairs = [["Full name", make("code", { text: report.fullName(row) })]];
    if (row.kind >= 0) {
      const type = row.kind & 4 ? "auth key" : "standard key";
      pairs.push(["Type", `${type}, for ${TARGETS[row.kind & 3]}, from ${CLIENTS[row.kind >> 4]}`]);
      if (row.created) pairs.push(["Made", `${date(row.created)} (${report.days(row)} days ago)`]);
      pairs.push(["Last use", this.use(row)]);
    }
    if (row.owner >= 0) {
      const owner = report.owners[row.owner];
      pairs.push(["Owner", `${owner.who || "unknown"}${owner.reason ? ` (${owner.reason})` : ""}`]);
    }
    return make("dl", {}, ...pairs.flatMap(([term, value]) => [make("dt", { text: term }), make("dd", {}, value)]));
  }

  use(row) {
    if (row.use === -1) return "unknown: it was not read";
    if (row.use === 0) return "none in the weeks that were read";
    const [last, ...services] = row.use;
    return `${date(last)}, ${services.map((each) => this.report.strings[each]).join(", ")}`;
  }

  finding(each, row) {
    const { report } = this;
    const [id, title] = report.rules[each.rule];
    const item = make(
      "li",
      {},
      badge(each.severity),
      " ",
      make("a", { href: `#${id}`, title, text: id }),
      each.fresh ? make("span", { class: "mark", text: "new" }) : null,
      `: ${report.text(each.message, row)}`,
    );
    if (each.accepted) {
      const [reason, owner, until] = each.accepted;
      const by = owner ? ` by ${owner}` : "";
      item.append(make("div", { class: "second", text: `accepted${by}${until ? ` until ${until}` : ""}: ${reason}` }));
    }
    return item;
  }

  unread(places) {
    return places.map((each) => UNREAD[this.report.strings[each]] ?? this.report.strings[each]).join(", ");
  }

  steps(row) {
    const { steps, unread } = row.shape;
    if (!steps.length) return [];
    const said = new Set(steps.flatMap((step) => step.notRead));
    const rest = this.unread(unread.filter((each) => !said.has(each)));
    return [
      make("h3", { text: steps.length > 1 ? "What to type, in this order" : "What to type" }),
      make("ol", {}, ...steps.map((step) => this.step(step, row))),
      rest ? make("p", { class: "note", text: `Not read of this key: ${rest}.` }) : null,
    ];
  }

  step(step, row) {
    const { report } = this;
    const unread = this.unread(step.notRead);
    return make(
      "li",
      {},
      make("b", { text: step.kind }),
      step.why < 0 ? "" : `: ${report.text(step.why, row)}`,
      unread ? make("span", { class: "note", text: ` Not read: ${unread}.` }) : null,
      make("div", { class: "type" }, ...toType(report.text(step.command, row), report.label(row))),
    );
  }
}
