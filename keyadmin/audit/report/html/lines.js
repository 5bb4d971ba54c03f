// Which keys are shown, in which order, under which headings; and how many of them each bar of a chart stands for.

import { AGE_WORDS, PROJECT, SEVERITIES } from "./data.js";

export const NOTHING = Object.freeze({
  text: "",
  severities: Object.freeze([]),
  rule: -1,
  project: "",
  state: "open",
  fresh: false,
  age: -1,
  type: -1,
});

// What a key fails: a chart counts also those that fail by its own choice alone.
const BY_SEVERITY = 1;
const BY_RULE = 2;
const BY_AGE = 4;
const BY_TYPE = 8;
const BY_OTHERS = 16;

function ruleIn(shape, want) {
  return want.state === "open" ? shape.openRules : shape.rules;
}

// For each shape what it fails, and for each word searched for whether it has it.
function judgeShapes(report, want, words) {
  const fails = new Uint8Array(report.shapes.length);
  const has = words.map(() => new Uint8Array(report.shapes.length));
  report.shapes.forEach((shape, place) => {
    let failed = 0;
    if (want.severities.length && !want.severities.includes(shape.severity)) failed |= BY_SEVERITY;
    if (want.rule >= 0 && !ruleIn(shape, want).includes(want.rule)) failed |= BY_RULE;
    if ((want.state === "open" && !shape.open) || (want.state === "accepted" && !shape.accepted)) failed |= BY_OTHERS;
    if (want.fresh && !shape.fresh) failed |= BY_OTHERS;
    fails[place] = failed;
    words.forEach((word, number) => {
      has[number][place] = shape.words.includes(word) ? 1 : 0;
    });
  });
  return { fails, has };
}

// The rows that are wanted, as their numbers, and the counts of the charts.
export function choose(report, want) {
  const words = want.text.toLowerCase().split(/\s+/).filter(Boolean);
  const { fails, has } = judgeShapes(report, want, words);
  const sought = want.project.trim().toLowerCase();
  const inProject = report.projects.map(({ id, number }) => !sought || number === sought || id.toLowerCase().includes(sought));
  const owners = report.owners.map((each) => each.who.toLowerCase());
  const counts = {
    severity: [0, 0, 0, 0],
    rule: report.rules.map(() => 0),
    age: AGE_WORDS.map(() => 0),
    type: Array(PROJECT + 1).fill(0),
  };
  const chosen = [];
  report.rows.forEach((row, number) => {
    let failed = fails[row.shapeNumber];
    if (!inProject[row.project]) failed |= BY_OTHERS;
    const age = report.ageBand(row);
    const type = report.typeBand(row);
    if (want.age >= 0 && age !== want.age) failed |= BY_AGE;
    if (want.type >= 0 && type !== want.type) failed |= BY_TYPE;
    for (let at = 0; at < words.length && !(failed & BY_OTHERS); at++) {
      const found =
        has[at][row.shapeNumber] || row.words.includes(words[at]) || (row.owner >= 0 && owners[row.owner].includes(words[at]));
      if (!found) failed |= BY_OTHERS;
    }
    if (!failed) chosen.push(number);
    if (!(failed & ~BY_SEVERITY)) counts.severity[row.shape.severity]++;
    if (!(failed & ~BY_RULE)) for (const rule of ruleIn(row.shape, want)) counts.rule[rule]++;
    if (!(failed & ~BY_AGE)) counts.age[age]++;
    if (!(failed & ~BY_TYPE)) counts.type[type]++;
  });
  return { chosen, counts };
}

const ORDER = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// The place of each text among all, so that rows are compared by numbers.
function ranks(texts) {
  const places = texts.map((_, place) => place).sort((a, b) => ORDER.compare(texts[a], texts[b]));
  const out = new Uint32Array(texts.length);
  let rank = 0;
  places.forEach((place, at) => {
    if (at && ORDER.compare(texts[places[at - 1]], texts[place])) rank = at;
    out[place] = rank;
  });
  return out;
}

// The columns' values as numbers, made when they are first asked for. null = the order of the report, the worst first.
export function sorting(report) {
  const made = {};
  const makers = {
    key: () => ranks(report.rows.map((row) => report.label(row))),
    project: () => {
      const of = ranks(report.projects.map((each) => each.id));
      return report.rows.map((row) => of[row.project]);
    },
    owner: () => ranks(report.rows.map((row) => report.ownerWords(row))),
    findings: () => report.rows.map((row) => -row.shape.findings.length),
    age: () => report.rows.map((row) => -(report.days(row) ?? -1)),
  };
  return (column) => {
    if (!makers[column]) return null;
    made[column] ??= makers[column]();
    return made[column];
  };
}

export function sorted(chosen, values, down) {
  if (!values) return down ? chosen : chosen.slice().reverse();
  const sign = down ? -1 : 1;
  return chosen.slice().sort((a, b) => sign * (values[a] - values[b]) || a - b);
}

const GROUPS = {
  project: (report, row) => [report.projects[row.project].id],
  owner: (report, row) => [report.ownerWords(row) || "owner not asked for"],
  rule: (report, row, want) =>
    ruleIn(row.shape, want)
      .filter((rule) => want.rule < 0 || rule === want.rule)
      .map((rule) => report.rules[rule][0]),
  severity: (_, row) => [SEVERITIES[row.shape.severity]],
};

// The groups, the worst first: `{label, rows, counts}`.
export function grouped(report, chosen, by, want) {
  const groups = new Map();
  for (const number of chosen) {
    const row = report.rows[number];
    for (const label of GROUPS[by](report, row, want)) {
      let group = groups.get(label);
      if (!group) {
        group = { label, rows: [], counts: [0, 0, 0, 0] };
        groups.set(label, group);
      }
      group.rows.push(number);
      group.counts[row.shape.severity]++;
    }
  }
  const worse = (a, b) => {
    for (let severity = 3; severity >= 0; severity--) {
      if (a.counts[severity] !== b.counts[severity]) return b.counts[severity] - a.counts[severity];
    }
    return ORDER.compare(a.label, b.label);
  };
  return [...groups.values()].sort(worse);
}
