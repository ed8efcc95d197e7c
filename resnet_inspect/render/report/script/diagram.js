// The diagram, whose boxes open panels.

function diagram() {
  const picture = byId("picture");
  const svg = picture.querySelector("svg");
  if (!svg) {
    picture.replaceChildren(make("p", { class: "dim" }, "No picture: Graphviz was not there, or gave up. The list of layers holds the same."));
    return;
  }
  // The picture spells names as they are shown.
  const byShown = new Map(state.facts.layers.map((layer) => [shown(layer.name), layer.name]));
  for (const node of picture.querySelectorAll("[data-layer]")) {
    const every = node.dataset.layers ? JSON.parse(node.dataset.layers) : [byShown.get(node.dataset.layer)];
    for (const name of every) state.nodes.set(name, node);
  }
  picture.addEventListener("click", (event) => {
    const node = event.target.closest("[data-layer]");
    const name = node && byShown.get(node.dataset.layer);
    if (name !== undefined && name !== null) {
      event.preventDefault();
      open_(name);
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
    make("span", { class: "dim" }, "click a layer for its panel; the list of layers holds the same")));
  zoom(0);
}
