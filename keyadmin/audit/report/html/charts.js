// Charts as inline SVG. A bar is a button: it narrows the table to what it stands for, and again to all.

import { make } from "../../../data/pages/dom.js";
import { AGE_WORDS, AGES, DAY, DELETED, date, SEVERITIES } from "./data.js";

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function chart(title, ...children) {
  return make("div", { class: "chart" }, make("h3", { text: title }), ...children);
}

// `bars` = [{label, count, fill, on, choose, title}].
function barChart(title, bars) {
  const most = Math.max(1, ...bars.map((each) => each.count));
  const rows = bars.map(({ label, count, fill, on, choose: wanted, title: tip }) => {
    const width = count ? Math.max(1, (100 * count) / most) : 0;
    const bar = draw(
      "svg",
      { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("rect", { x: 0, y: 0, width, height: 10, rx: 1, class: `fill-${fill}` }),
    );
    const attributes = { type: "button", "aria-pressed": String(on), title: tip || null };
    const button = make("button", attributes, make("span", { text: label }), bar, make("span", { text: String(count) }));
    button.addEventListener("click", wanted);
    return button;
  });
  return chart(title, make("div", { class: "bars" }, ...rows));
}

function trendChart(trend) {
  const wide = 320;
  const high = 130;
  const [left, right, top, bottom] = [30, 8, 8, 20];
  const most = Math.max(1, ...trend.flatMap((each) => each.slice(1)));
  const first = trend[0][0];
  const span = Math.max(1, trend[trend.length - 1][0] - first);
  const x = (time) => left + ((wide - left - right) * (time - first)) / span;
  const y = (count) => top + (high - top - bottom) * (1 - count / most);
  const names = ["high", "medium", "low"];
  const lines = names.map((name, place) => {
    const points = trend.map((each) => `${x(each[0]).toFixed(1)},${y(each[place + 1]).toFixed(1)}`).join(" ");
    return draw("polyline", { points, class: `line-${name}` });
  });
  const last = trend[trend.length - 1];
  const words = names.map((name, place) => `${name} ${trend[0][place + 1]} to ${last[place + 1]}`).join(", ");
  const label = `Findings in ${trend.length} audits from ${date(first)} to ${date(last[0])}: ${words}`;
  const plot = draw(
    "svg",
    { viewBox: `0 0 ${wide} ${high}`, class: "plot", role: "img", "aria-label": label },
    draw("line", { x1: left, y1: high - bottom, x2: wide - right, y2: high - bottom, class: "axis" }),
    draw("text", { x: left - 4, y: top + 8, "text-anchor": "end", text: String(most) }),
    draw("text", { x: left - 4, y: high - bottom, "text-anchor": "end", text: "0" }),
    draw("text", { x: left, y: high - 5, text: date(first) }),
    draw("text", { x: wide - right, y: high - 5, "text-anchor": "end", text: date(last[0]) }),
    ...lines,
  );
  const legend = names.map((name, place) => make("span", { class: name, text: `${name} ${last[place + 1]}` }));
  return chart("Findings over time", plot, make("div", { class: "legend" }, ...legend));
}

// All charts anew; `change` takes what of the wish is to be another.
export function charts(report, want, counts, change) {
  const severities = [3, 2, 1, 0].map((severity) => {
    const on = want.severities.includes(severity);
    const others = want.severities.filter((each) => each !== severity);
    return {
      label: SEVERITIES[severity],
      count: counts.severity[severity],
      fill: SEVERITIES[severity],
      on,
      choose: () => change({ severities: on ? others : [...others, severity] }),
    };
  });
  const single = (name, place, rest) => ({
    count: counts[name][place],
    on: want[name] === place,
    choose: () => change({ [name]: want[name] === place ? -1 : place }),
    ...rest,
  });
  const ages = AGE_WORDS.map((label, place) => {
    const over = place > 0 && place <= AGES.length && AGES[place - 1] * DAY >= report.maxAge;
    return single("age", place, { label, fill: over ? "medium" : "plain" });
  }).filter((each, place) => place <= AGES.length || each.count);
  const types = counts.type
    .map((_, place) =>
      single("type", place, {
        label: report.typeWords(place),
        fill: (place & 3) === 3 && place < DELETED ? "medium" : "plain",
      }),
    )
    .filter((each) => each.count || each.on)
    .sort((a, b) => b.count - a.count);
  const rules = report.rules
    .map(([id, title, severity], place) => single("rule", place, { label: id, title, fill: severity }))
    .filter((each) => each.count || each.on)
    .sort((a, b) => b.count - a.count)
    .slice(0, 8);
  const out = [
    barChart("Keys by severity", severities),
    barChart("Keys by age", ages),
    barChart("Keys by type", types),
    barChart("Keys by rule", rules),
  ];
  if (report.trend.length > 1) out.push(trendChart(report.trend));
  return out;
}
