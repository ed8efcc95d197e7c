// The diagram. Its boxes open panels.

const LEGIBLE = 0.7;

// The target of each box. The SVG contains names as they are shown, and as anchors in its ids; ids
// of the second run begin with b-. On a page of two runs, pairs of layers have their own names.
function boxes(picture, side) {
  const targets = new Map();
  const namesOf = (layer) => (layer.names ? [layer.names[side]] : [layer.name]);
  const byShown = new Map(state.facts.layers.flatMap((layer) => namesOf(layer).filter(Boolean).map((name) => [shown(name), layer.name])));
  const known_ = (name) => state.facts.byName.get(name)?.name ?? name;
  const note = (key, node) => state.nodes.set(key, [...(state.nodes.get(key) ?? []), node]);
  const entries = new Map(state.facts.inputs);
  const known = { op: state.facts.opAt, variable: state.facts.variableAt };
  for (const node of picture.querySelectorAll(".node")) {
    const [, kind, rest] = /^(?:b-)?(op|input|variable)-(.+)$/s.exec(node.id) ?? [];
    const own = byShown.get(node.dataset.layer);
    const every = node.dataset.layers ? JSON.parse(node.dataset.layers).map(known_) : own === undefined ? [] : [own];
    const target = every.length > 1 ? { kind: "box", name: every[0] }
      : every.length ? { kind: "layer", name: every[0] }
      : kind === "input" && entries.has(unanchored(rest)) ? { kind: "op", name: entries.get(unanchored(rest)) }
      : known[kind]?.has(unanchored(rest)) ? { kind, name: unanchored(rest) }
      : kind === "op" && state.facts.byName.has(unanchored(rest)) ? { kind: "layer", name: known_(unanchored(rest)) } : null;
    if (!target) {
      leadElsewhere(node);
      continue;
    }
    targets.set(node, target);
    node.classList.add("opens");
    const keys = new Set([`${target.kind} ${target.name}`, ...every.map((name) => `layer ${name}`)]);
    for (const key of keys) note(key, node);
    for (const name of every) {
      if (every.length > 1) state.boxes.set(name, { every, alike: own !== undefined });
    }
  }
  return targets;
}

// A box without a panel. The rejected call links to the failure, other boxes lose their link.
function leadElsewhere(node) {
  for (const anchor of node.querySelectorAll("a")) {
    const failure = byId("failure") ?? byId(node.id.startsWith("b-") ? "b-failed" : "a-failed");
    if (/^(b-)?refused-/.test(node.id) && failure) anchor.setAttribute("xlink:href", `#${failure.id}`);
    else anchor.removeAttribute("xlink:href");
  }
}

function diagram() {
  const picture = byId("picture");
  const every = [...picture.querySelectorAll("svg")];
  let [svg] = every;
  if (!svg) {
    picture.replaceChildren(make("p", { class: "dim" }, "No diagram; the reason is under ", make("a", { href: "#not-observed" }, "Not observed"), ". The list opens the same panels."));
    return;
  }
  const targets = new Map(every.flatMap((picture) => [...boxes(picture, picture.querySelector("[id^=b-]") ? 1 : 0)]));
  picture.addEventListener("click", (event) => {
    const target = targets.get(event.target.closest(".node"));
    if (target) {
      event.preventDefault();
      open_(target);
    }
  });
  const natural = () => svg.viewBox.baseVal.width || svg.clientWidth;
  const size = { zoom: 0 };
  state.fit = () => { if (!size.zoom && picture.clientWidth) zoom(0); };
  const zoom = (to) => {
    size.zoom = to;
    svg.setAttribute("width", String(Math.round(to ? natural() * to : Math.min(natural(), picture.clientWidth - 2))));
    svg.removeAttribute("height");
  };
  const now = () => size.zoom || svg.clientWidth / natural();
  const button = (text, name, act) => make("button", { type: "button", "aria-label": name, onclick: act }, text);
  const start = () => zoom(Math.min(natural(), picture.clientWidth - 2) / natural() < LEGIBLE ? LEGIBLE : 0);
  const choose = (side) => {
    every.forEach((picture, at) => { picture.parentElement.hidden = String(at) !== side; });
    svg = every[side];
    start();
  };
  const sides = every.length > 1 ? choice("side", "graph of", [["0", "A"], ["1", "B"]], "0", choose) : "";
  picture.before(make("div", { class: "tools" }, sides, button("+", "larger", () => zoom(now() * 1.25)), button("−", "smaller", () => zoom(now() / 1.25)), button("fit", "fit the width", () => zoom(0)), button("1:1", "natural size", () => zoom(1)),
    make("span", { class: "dim" }, `click ${state.facts.layers.length ? "a layer" : "an op"} to open it`)));
  // Text of 6 px is not legible: a wide diagram starts at a legible size and scrolls.
  start();
}
