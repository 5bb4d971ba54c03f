// What is known, out of the block of JSON that keyadmin/audit/report/html/data.py writes. Texts that many keys share stand
// there once, with the key's id and its project's as two private characters.

import { clean } from "../../../data/pages/dom.js";

export const SEVERITIES = ["info", "low", "medium", "high"];
const KINDS = ["contain", "replace", "delete", "review"];
export const TARGETS = ["Gemini only", "other APIs", "Gemini and others", "every API"];
const SHORT_TARGETS = ["Gemini", "other APIs", "Gemini + others", "every API"];
export const CLIENTS = ["anywhere", "some web sites", "some IP addresses", "some Android apps", "some iOS apps"];
export const DAY = 86400;
export const AGES = [30, 90, 180, 365, 730];
export const AGE_WORDS = ["< 30 d", "30-90 d", "90-180 d", "180-365 d", "1-2 y", "> 2 y", "unknown"];
export const DELETED = 8;
export const PROJECT = 9;

// One set of findings and steps, which many keys may share.
class Shape {
  constructor(packed, data) {
    const [findings, steps, unread] = packed;
    this.findings = findings.map(([rule, severity, message, accepted, fresh]) => ({
      rule,
      severity,
      message,
      accepted: accepted < 0 ? null : data.accepted[accepted],
      fresh: fresh === 1,
    }));
    this.steps = steps.map(([kind, command, why, notRead]) => ({ kind: KINDS[kind], command, why, notRead }));
    this.unread = unread;
    const open = this.findings.filter((each) => !each.accepted);
    const judged = open.length ? open : this.findings;
    this.severity = Math.max(...judged.map((each) => each.severity));
    this.open = open.length > 0;
    this.accepted = open.length < this.findings.length;
    this.fresh = open.some((each) => each.fresh);
    this.rules = [...new Set(this.findings.map((each) => each.rule))];
    this.openRules = [...new Set(open.map((each) => each.rule))];
    const words = this.findings.flatMap((each) => [data.rules[each.rule][0], data.strings[each.message]]);
    const typed = this.steps.map((each) => data.strings[each.command]);
    this.words = [...words, ...typed].join("\n").toLowerCase();
  }
}

export class Report {
  constructor(packed) {
    this.now = packed.now;
    this.maxAge = packed.maxAge;
    this.baseline = packed.baseline;
    this.trend = packed.trend;
    this.rules = packed.rules.map((rule) => rule.map(clean));
    this.strings = packed.strings.map(clean);
    this.projects = packed.projects.map(([id, number]) => ({ id: clean(id), number: clean(number) }));
    this.owners = packed.owners.map(([who, source, reason]) => ({ who: clean(who), source, reason: clean(reason) }));
    this.accepted = packed.accepted.map((each) => each.map(clean));
    this.shapes = packed.shapes.map((each) => new Shape(each, this));
    this.rows = packed.rows.map((each) => this.row(each));
  }

  row([rawId, rawName, project, created, kind, shape, owner, use]) {
    const id = clean(rawId);
    const name = clean(rawName);
    const words = `${name}\n${id}\n${this.projects[project].id}`.toLowerCase();
    return { id, name, project, created, kind, shape: this.shapes[shape], shapeNumber: shape, owner, use, words };
  }

  label(row) {
    return row.kind < 0 ? "the project itself" : row.name || row.id;
  }

  // A shared text, said of this key.
  text(number, row) {
    return this.strings[number].replaceAll("\ue000", row.id).replaceAll("\ue001", this.projects[row.project].id);
  }

  days(row) {
    return row.created ? Math.max(0, Math.floor((this.now - row.created) / DAY)) : null;
  }

  // The place in AGE_WORDS.
  ageBand(row) {
    const days = this.days(row);
    if (days === null) return AGES.length + 1;
    const found = AGES.findIndex((edge) => days < edge);
    return found < 0 ? AGES.length : found;
  }

  // 0 to 7: the type and the targets; then deleted keys, then projects.
  typeBand(row) {
    if (row.kind < 0) return PROJECT;
    return row.kind & 8 ? DELETED : row.kind & 7;
  }

  typeWords(band) {
    if (band === PROJECT) return "about the project";
    if (band === DELETED) return "deleted key";
    return `${band & 4 ? "auth" : "standard"}: ${SHORT_TARGETS[band & 3]}`;
  }

  ownerWords(row) {
    return row.owner < 0 ? "" : this.owners[row.owner].who || "unknown";
  }

  fullName(row) {
    const project = this.projects[row.project];
    const start = `projects/${project.number || project.id}`;
    return row.kind < 0 ? start : `${start}/locations/global/keys/${row.id}`;
  }
}

export function date(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
