// The panel of a layer, and why each of its axes has its size.

function way(axis) {
  const steps = [];
  for (let at = axis.way; at >= 0; at = state.facts.ways[at][5]) steps.push(state.facts.ways[at]);
  if (steps.length < 2) return [];
  const row = ([size, place, how, layer]) => make("tr", {}, make("td", { class: "right" }, size), make("td", {}, place), make("td", {}, how), make("td", {}, layer ? link(layer) : ""));
  const head = () => make("thead", {}, make("tr", {}, ["size", "place", "how", "layer"].map((name, at) => make("th", { scope: "col", class: at ? null : "right" }, name))));
  const title = axis.inflow ? "What flows in" : "The way back";
  const groups = [];
  steps.forEach((step, at) => {
    const alone = at === 0 || at === steps.length - 1 || step[4];
    if (alone || !groups.length || groups.at(-1).alone) groups.push({ alone, steps: [step] });
    else groups.at(-1).steps.push(step);
  });
  const rows = groups.map(({ steps: run }) => {
    if (run.length < 2) return row(run[0]);
    const names = [...new Set(run.map((step) => step[3]).filter(Boolean))];
    const told = names.length > 4 ? [...names.slice(0, 2), `… ${names.length - 4} more …`, ...names.slice(-2)] : names;
    return make("tr", {}, make("td", { class: "right" }, run[0][0]), make("td", {}, "…"), make("td", { colspan: "2" }, `carried unchanged through ${run.length} ops: ${told.join(", ")}`));
  });
  const made = [make("h4", {}, title), scrolling(make("table", { class: "way" }, head(), make("tbody", {}, rows)), title)];
  if (rows.length < steps.length) made.push(folded(`All ${steps.length} steps`, () => scrolling(make("table", { class: "way" }, head(), make("tbody", {}, steps.map(row))), title)));
  return made;
}

function axisOf(axis) {
  const title = make("span", {}, make("b", {}, `axis ${axis.axis}`), ` ${axis.meaning} `, make("b", {}, axis.size), axis.formula && axis.formula !== axis.size ? ` = ${axis.formula}` : "");
  return folded(title, () => {
    const proof = state.facts.proofs[axis.proof];
    return [pairs(axis.facts), ...way(axis),
      ...(proof.length ? [make("h4", {}, "Which settings move it (traced again, one changed)"), table({ columns: ["setting", "changed", "size", "moves it", "note"], right: [], rows: proof })] : [])];
  });
}

function names(title, every) {
  if (!every.length) return "";
  return make("p", {}, make("span", { class: "dim" }, `${title} `), every.flatMap((name, at) => [at ? ", " : "", link(name)]));
}

function showLayer(name, focus) {
  const panel = byId("panel");
  const layer = state.facts.byName.get(name);
  document.querySelectorAll("#picture .current").forEach((node) => node.classList.remove("current"));
  state.layer = layer ?? null;
  state.onStep = state.onResize = state.onShown = null;
  document.body.classList.toggle("with-panel", name !== null);
  panel.hidden = name === null;
  state.fit?.();
  if (name === null) return panel.replaceChildren();
  const close = make("button", { type: "button", class: "close", onclick: closePanel }, "close (Esc)");
  if (!layer) return panel.replaceChildren(make("div", { class: "top" }, make("h2", { tabindex: "-1" }, `There is no layer ${name}`), close));
  const all = state.facts.layers;
  const at = all.indexOf(layer);
  const step = (to, text) => (all[to] ? make("a", { href: `#layer=${encodeURIComponent(all[to].name)}`, class: "step-link" }, text) : make("span", { class: "dim" }, text));
  const heading = make("h2", { tabindex: "-1" }, layer.name);
  panel.replaceChildren(
    make("div", { class: "top" }, heading, make("div", { class: "moves" }, step(at - 1, "‹ previous"), step(at + 1, "next ›"), close)),
    make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
    pairs(layer.facts), names("takes from", layer.before), names("hands to", layer.after),
    distributions(layer),
    section("panel-axes", "Why each axis has its size", layer.axes.length ? layer.axes.map(axisOf) : make("p", { class: "dim" }, "A scalar has no axes.")));
  state.onShown?.();
  panel.scrollTop = 0;
  const node = state.nodes.get(name);
  if (node) {
    node.classList.add("current");
    const [box, view] = [node.getBoundingClientRect(), byId("picture").getBoundingClientRect()];
    byId("picture").scrollBy(box.left - view.left - view.width / 2, box.top - view.top - view.height / 2);
  }
  const item = items().find((one) => one.dataset.layer === name);
  if (item) { reveal(item); settle(item); }
  if (focus) {
    heading.focus({ preventScroll: true });
    if (getComputedStyle(panel).position !== "sticky") panel.scrollIntoView();
  }
  return undefined;
}

function closePanel() {
  const item = state.layer && items().find((one) => one.dataset.layer === state.layer.name);
  history.pushState(null, "", location.href.split("#")[0]);
  follow(false);
  if (item) { reveal(item); settle(item); item.focus(); }
}

function follow(focus = true) {
  const found = /^#layer=(.*)$/s.exec(location.hash);
  let name = null;
  if (found) {
    try { name = decodeURIComponent(found[1]); } catch { name = found[1]; }
  }
  if (name !== null || !byId("panel").hidden) showLayer(name, focus);
}
