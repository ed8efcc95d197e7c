// Why an axis has its size: what is told of it, its way back, and which settings move it.
// An axis is [told, way, size, meaning], as render/report/whys.py packs it.

// A place such as add24:0 axis 3 links to the panel of its op or variable.
function place(text) {
  const name = text.replace(/ (axis|element) \d+$/, "");
  const op = name.replace(/:\d+$/, "");
  if (state.facts.opAt.has(op)) return linkTo("op", op, text);
  return state.facts.variableAt.has(name) ? linkTo("variable", name, text) : text;
}

function way(first, title) {
  const steps = [];
  for (let at = first; at >= 0; at = state.facts.ways[at][5]) steps.push(state.facts.ways[at]);
  if (steps.length < 2) return [];
  const layers = steps.some((step) => step[3]);
  const row = ([size, where, how, layer]) => make("tr", {}, make("td", { class: "right" }, size), make("td", {}, place(where)), make("td", {}, how), layers ? make("td", {}, layer ? link(layer) : "") : "");
  const head = () => make("thead", {}, make("tr", {}, ["size", "place", "how", ...(layers ? ["layer"] : [])].map((name, at) => make("th", { scope: "col", class: at ? null : "right" }, name))));
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
    return make("tr", {}, make("td", { class: "right" }, run[0][0]), make("td", {}, "…"), make("td", { colspan: layers ? "2" : null }, `carried unchanged through ${run.length} ops${told.length ? `: ${told.join(", ")}` : ""}`));
  });
  const made = [make("h4", {}, title), scrolling(make("table", { class: "way" }, head(), make("tbody", {}, rows)), title)];
  if (rows.length < steps.length) made.push(folded(`All ${steps.length} steps`, () => scrolling(make("table", { class: "way" }, head(), make("tbody", {}, steps.map(row))), title)));
  return made;
}

function axisOf([told, first, size, meaning], number) {
  const found = state.facts.told[told];
  const title = make("span", {}, make("b", {}, `axis ${number}`), ` ${meaning} `, make("b", {}, size), found.formula && found.formula !== size ? ` = ${found.formula}` : "");
  return folded(title, () => {
    const proof = state.facts.proofs[found.proof];
    return [pairs(found.facts), ...way(first, found.inflow ? "What flows in" : "The way back"),
      ...(proof.length ? [make("h4", {}, "Which settings move it (traced again, one changed)"), table({ columns: ["setting", "changed", "size", "moves it", "note"], right: [], rows: proof })] : [])];
  });
}

const axesOf = (axes) => (axes.length ? axes.map(axisOf) : make("p", { class: "dim" }, "A scalar has no axes."));

// Axes of variables, each variable folded under its name, shape and whether it is trained.
function variablesOf(every) {
  return every.map(([name, shape, kept, , , , axes]) => folded(make("span", {}, make("b", {}, name), ` ${shape}, ${kept}`), () => [
    make("p", {}, linkTo("variable", name, "its own panel")), ...[axesOf(axes)].flat()]));
}
