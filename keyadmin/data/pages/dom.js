// What keyadmin's pages share: elements, whose texts stay text, and the theme.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

// As the command line spells out what would hide or reorder text (keyadmin/cli/text.py).
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const PLAIN = /^[ -~]*$/;

export function clean(text) {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSAFE, (found) => {
    const code = found.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

// As the system, then light, then dark; kept for the next time where the browser keeps anything.
export function themes() {
  const names = { "": "as the system", light: "light", dark: "dark" };
  const order = Object.keys(names);
  const button = document.getElementById("theme");
  let now = "";
  const show = () => {
    document.documentElement.dataset.theme = now;
    button.querySelector("span").textContent = names[now];
  };
  try {
    now = localStorage.getItem("keyadmin-theme") || "";
  } catch {
    // nothing is kept
  }
  if (!order.includes(now)) now = "";
  button.addEventListener("click", () => {
    now = order[(order.indexOf(now) + 1) % order.length];
    show();
    try {
      localStorage.setItem("keyadmin-theme", now);
    } catch {
      // nothing is kept
    }
  });
  button.hidden = false;
  show();
}
