// Faults, quotas, latency, propagation and the clock, set by hand.

import { make } from "../../../data/pages/dom.js";
import { complain, post, Refused } from "./server.js";

function choice(name, label, values) {
  const list = make("select", { name }, ...values.map((value) => make("option", { value, text: value })));
  return make("label", {}, label, list);
}

function box(name, label, attributes = {}) {
  return make("label", {}, label, make("input", { name, ...attributes }));
}

function number(text) {
  return text === "" ? undefined : Number(text);
}

// `send` = from the form's values to what is posted.
function form(title, button, path, send, done, ...fields) {
  const element = make("form", {}, make("b", { text: title }), ...fields, make("button", { text: button }));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(element));
    await act(() => post(path, send(values)), done);
  });
  return element;
}

async function act(ask, done) {
  try {
    await ask();
    complain("");
    await done();
  } catch (error) {
    complain(error instanceof Refused ? error.message : "The sandbox does not answer.");
  }
}

export function conditions(section, known, done) {
  const methods = make("datalist", { id: "methods" }, ...known.methods.map((value) => make("option", { value })));
  const method = (more = {}) => box("method", "Method", { list: "methods", ...more });
  const clear = make("button", { type: "button", text: "Clear all faults" });
  clear.addEventListener("click", () => act(() => post("faults", {}, "DELETE"), done));
  const reset = make("button", { type: "button", text: "Reset the sandbox" });
  reset.addEventListener("click", () => {
    if (confirm("Reset to the seed? Everything created since then will be lost.")) act(() => post("reset", {}), done);
  });
  const fault = ({ times, ...rest }) => ({ ...rest, times: number(times) });
  section.querySelector(".tools").before(
    methods,
    form(
      "Fault",
      "Add",
      "faults",
      fault,
      done,
      method({ required: true, value: "CreateKey" }),
      choice("code", "Code", known.codes),
      choice("when", "When", ["before", "after", "operation"]),
      box("times", "Times", { type: "number", min: 1, value: 1 }),
    ),
    form(
      "Quota",
      "Set",
      "quota",
      (values) => ({ method: values.method, per_minute: number(values.per_minute) }),
      done,
      method({ required: true, value: "ListKeys" }),
      box("per_minute", "Per minute", { type: "number", min: 0, value: 240 }),
    ),
    form(
      "Latency",
      "Set",
      "latency",
      ({ ms, method: name }) => (name ? { ms: number(ms), method: name } : { ms: number(ms) }),
      done,
      box("ms", "Milliseconds", { type: "number", min: 0, value: 95 }),
      method({ placeholder: "every method" }),
    ),
    form(
      "Propagation",
      "Set",
      "propagation",
      ({ what, time }) => ({ [what]: time }),
      done,
      choice("what", "Of", known.spreads),
      box("time", "Takes", { value: "30s", size: 6 }),
    ),
    form("Clock", "Advance", "clock", (values) => values, done, box("advance", "By", { value: "31d", size: 6 })),
    make("div", { class: "tools" }, clear, reset),
  );
}
