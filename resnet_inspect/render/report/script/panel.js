// The panel beside the page, and the panel of a box that shows several layers. PANELS, defined in
// the file of the kind of page, makes the other panels.

function names(title, every, kind = "layer") {
  if (!every.length) return "";
  return make("p", {}, make("span", { class: "dim" }, `${title} `), every.flatMap((name, at) => [at ? ", " : "", kind === "layer" ? link(name) : linkTo(kind, name)]));
}

// All layers of the blocks that one box of the diagram shows.
function boxPanel(name) {
  if (!state.boxes.has(name)) return null;
  const { every, alike } = state.boxes.get(name);
  const blocks = every.map((first) => {
    const path = JSON.stringify(state.facts.byName.get(first).path);
    return [first, state.facts.layers.filter((layer) => JSON.stringify(layer.path) === path)];
  });
  const row = (layer) => [{ layer: layer.name }, layer.type, layer.shape];
  const tableOf = (layers, title) => table({ columns: ["layer", "type", "shape"], right: [], rows: layers.map(row) }, title);
  if (!alike) {
    return { title: state.facts.byName.get(name).path.join(" › ") || name, around: [], body: [
      make("p", {}, `This box of the diagram shows ${every.length} layers:`), tableOf(every.map((layer) => state.facts.byName.get(layer)), "The layers of this box")] };
  }
  return {
    title: `${every[0]} ×${every.length}`,
    around: [],
    body: [
      make("p", {}, `${every.length} equal blocks are collapsed. This box shows one layer of each:`),
      tableOf(every.map((layer) => state.facts.byName.get(layer)), "The layers of this box"),
      section("panel-blocks", "All layers of these blocks", blocks.map(([first, layers]) =>
        folded(state.facts.byName.get(first).path.join(" › ") || first, () => tableOf(layers, "Layers of the block")))),
    ],
  };
}

function showPanel(target, focus) {
  const panel = byId("panel");
  document.querySelectorAll("#picture .current").forEach((node) => node.classList.remove("current"));
  state.target = target;
  state.onStep = state.onResize = state.onShown = null;
  const made = target && PANELS[target.kind]?.(target.name);
  document.body.classList.toggle("with-panel", Boolean(made));
  document.body.classList.toggle("with-notice", target !== null && !made);
  panel.hidden = target === null;
  state.fit?.();
  if (target === null) return panel.replaceChildren();
  const { kind, name } = target;
  const close = make("button", { type: "button", class: "close", onclick: closePanel }, "close (Esc)");
  panel.setAttribute("aria-label", made ? kind : "not found");
  if (!made) {
    const lacking = make("h2", { tabindex: "-1" }, `There is no ${kind === "name" ? "layer, op or variable" : kind} ${name}`);
    panel.replaceChildren(make("div", { class: "top" }, lacking, close), make("p", {}, "Similar names: ", namesLike(kind, name)));
    if (focus) { lacking.focus({ preventScroll: true }); panel.scrollIntoView(); }
    return undefined;
  }
  const step = (to, text) => (to === undefined ? make("span", { class: "dim" }, text) : linkTo(kind, to, text));
  const moves = made.around.length ? [step(made.around[0], "‹ previous"), step(made.around[1], "next ›")] : [];
  const heading = make("h2", { tabindex: "-1" }, made.title ?? name);
  panel.replaceChildren(make("div", { class: "top" }, heading, make("div", { class: "moves" }, moves, close)), ...made.body.filter(Boolean));
  state.onShown?.();
  panel.scrollTop = 0;
  const nodes = state.nodes.get(`${kind} ${made.name ?? name}`) ?? [];
  for (const box of nodes) box.classList.add("current");
  const node = nodes.find((box) => box.getClientRects().length);
  if (node) {
    const [box, view] = [node.getBoundingClientRect(), byId("picture").getBoundingClientRect()];
    byId("picture").scrollBy(box.left - view.left - view.width / 2, box.top - view.top - view.height / 2);
  }
  const item = itemOf({ kind, name: made.name ?? name });
  if (item) { reveal(item); settle(item); }
  if (focus) {
    heading.focus({ preventScroll: true });
    if (getComputedStyle(panel).position !== "sticky") panel.scrollIntoView();
  }
  return undefined;
}

function closePanel() {
  history.pushState(null, "", location.href.split("#")[0]);
  follow(false);
}
