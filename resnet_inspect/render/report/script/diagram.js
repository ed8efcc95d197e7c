// The diagram, whose boxes open panels.

const LEGIBLE = 0.7;

// What each box opens. The picture spells names as they are shown, and as anchors in its ids.
function boxes(picture) {
  const targets = new Map();
  const byShown = new Map(state.facts.layers.map((layer) => [shown(layer.name), layer.name]));
  const entries = new Map(state.facts.inputs);
  const known = { op: state.facts.opAt, variable: state.facts.variableAt };
  for (const node of picture.querySelectorAll(".node")) {
    const [, kind, rest] = /^(op|input|variable)-(.+)$/s.exec(node.id) ?? [];
    const own = byShown.get(node.dataset.layer);
    const every = node.dataset.layers ? JSON.parse(node.dataset.layers) : own === undefined ? [] : [own];
    const target = every.length > 1 ? { kind: "box", name: every[0] }
      : every.length ? { kind: "layer", name: every[0] }
      : kind === "input" && entries.has(unanchored(rest)) ? { kind: "op", name: entries.get(unanchored(rest)) }
      : known[kind]?.has(unanchored(rest)) ? { kind, name: unanchored(rest) } : null;
    if (!target) {
      leadElsewhere(node);
      continue;
    }
    targets.set(node, target);
    node.classList.add("opens");
    state.nodes.set(`${target.kind} ${target.name}`, node);
    for (const name of every) {
      state.nodes.set(`layer ${name}`, node);
      if (every.length > 1) state.boxes.set(name, { every, alike: own !== undefined });
    }
  }
  return targets;
}

// A box without a panel: of the refused call the link leads to the failure, any other has none.
function leadElsewhere(node) {
  for (const one of node.querySelectorAll("a")) {
    if (node.id.startsWith("refused-") && byId("failure")) one.setAttribute("xlink:href", "#failure");
    else one.removeAttribute("xlink:href");
  }
}

function diagram() {
  const picture = byId("picture");
  const svg = picture.querySelector("svg");
  if (!svg) {
    picture.replaceChildren(make("p", { class: "dim" }, "No picture; why stands under ", make("a", { href: "#not-observed" }, "Not observed"), ". The list beside holds the same."));
    return;
  }
  const targets = boxes(picture);
  picture.addEventListener("click", (event) => {
    const target = targets.get(event.target.closest(".node"));
    if (target) {
      event.preventDefault();
      open_(target);
    }
  });
  const natural = svg.viewBox.baseVal.width || svg.clientWidth;
  const size = { zoom: 0 };
  state.fit = () => { if (!size.zoom && picture.clientWidth) zoom(0); };
  const zoom = (to) => {
    size.zoom = to;
    svg.setAttribute("width", String(Math.round(to ? natural * to : Math.min(natural, picture.clientWidth - 2))));
    svg.removeAttribute("height");
  };
  const now = () => size.zoom || svg.clientWidth / natural;
  const button = (text, name, act) => make("button", { type: "button", "aria-label": name, onclick: act }, text);
  picture.before(make("div", { class: "tools" }, button("+", "larger", () => zoom(now() * 1.25)), button("−", "smaller", () => zoom(now() / 1.25)), button("fit", "fit the width", () => zoom(0)), button("1:1", "natural size", () => zoom(1)),
    make("span", { class: "dim" }, "click a box for its panel; the list holds the same")));
  // Names of some 6 px are no names: a wide picture begins legible, to be moved.
  zoom(Math.min(natural, picture.clientWidth - 2) / natural < LEGIBLE ? LEGIBLE : 0);
}
