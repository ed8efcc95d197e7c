// Why an axis has its size: a text, the path to its origin, and the settings that change it.
// An axis is [text, path, size, meaning], packed by render/report/whys.py.

// A place such as add24:0 axis 3 links to the panel of its op or variable.
function place(text) {
  const name = text.replace(/ (axis|element) \d+$/, "");
  const op = name.replace(/:\d+$/, "");
  if (state.facts.opAt.has(op)) return linkTo("op", op, text);
  return state.facts.variableAt.has(name) ? linkTo("variable", name, text) : text;
}

function path(first) {
  const steps = [];
  for (let at = first; at >= 0; at = state.facts.ways[at][5]) steps.push(state.facts.ways[at]);
  if (steps.length < 2) return [];
  const title = `Path to the origin (${steps.length} steps)`;
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
    const listed = names.length > 4 ? [...names.slice(0, 2), `… ${names.length - 4} more …`, ...names.slice(-2)] : names;
    return make("tr", {}, make("td", { class: "right" }, run[0][0]), make("td", {}, "…"), make("td", { colspan: layers ? "2" : null }, `unchanged through ${run.length} ops${listed.length ? `: ${listed.join(", ")}` : ""}`));
  });
  const made = [make("h4", {}, title), scrolling(make("table", { class: "way" }, head(), make("tbody", {}, rows)), title)];
  if (rows.length < steps.length) made.push(folded(`All ${steps.length} steps`, () => scrolling(make("table", { class: "way" }, head(), make("tbody", {}, steps.map(row))), title)));
  return made;
}

function axisOf([at, first, size, meaning], number) {
  const text = state.facts.texts[at];
  const title = make("span", {}, make("b", {}, `axis ${number}`), ` ${meaning} `, make("b", {}, size), text.formula && text.formula !== size ? ` = ${text.formula}` : "");
  return folded(title, () => {
    const proof = state.facts.proofs[text.proof];
    return [pairs(text.facts), ...path(first),
      ...(proof.length ? [make("h4", {}, "Settings that change this size (re-traced with one setting changed)"), table({ columns: ["setting", "changed", "size", "changes it", "note"], right: [], rows: proof })] : [])];
  });
}

const axesOf = (axes) => (axes.length ? axes.map(axisOf) : make("p", { class: "dim" }, "A scalar has no axes."));

// The axes of variables, each folded under the variable's name, shape and trained or not trained.
function variablesOf(every) {
  return every.map(([name, shape, kept, , , , axes]) => folded(make("span", {}, make("b", {}, name), ` ${shape}, ${kept}`), () => [
    make("p", {}, linkTo("variable", name, "open its panel")), ...[axesOf(axes)].flat()]));
}
