// Text and elements. Text enters the page only through `shown` and text nodes. Nothing is parsed as
// HTML, and nothing is loaded from a network.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const state = { target: null, step: 0, view: 0, style: "heat", facts: null, numbers: null, nodes: new Map(), boxes: new Map() };

// Control, format and separator characters become escapes, because they can reorder or hide text.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const NAMED = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function spelled(sign) {
  const code = sign.codePointAt(0).toString(16);
  if (code.length <= 2) return NAMED[sign] ?? `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

const shown = (text) => String(text).replace(HIDDEN, spelled);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : shown(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(shown(child)));
  }
  return element;
}

const make = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);
