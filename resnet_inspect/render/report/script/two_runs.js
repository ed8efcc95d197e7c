// The page of two runs: its parts in their order, and its panels.

const PANELS = { layer: pairPanel, box: boxPanel };

function compose(main, picture) {
  const { facts } = state;
  for (const one of facts.layers) for (const name of one.names) if (name && !facts.byName.has(name)) facts.byName.set(name, one);
  const parts = (every) => every.map((one) => section(one.name, one.title, one.blocks.map(drawn)));
  main.append(...parts(facts.sections), pairSection(), distanceSection());
  if (facts.scalars.length) main.append(scalarSection());
  main.append(picture, ...parts(facts.closing));
}

// The table of all pairs, or of those that stand to each other in one way.
function pairSection() {
  const { pairs: block, word } = state.facts;
  const title = `${word[0].toUpperCase()}${word.slice(1)}`;
  if (!block.rows.length) return section("layers", title, make("p", { class: "dim" }, "Neither run has a graph."));
  const marks = [...new Set(block.rows.map(([mark]) => mark.text))].sort();
  const blocks = [{ ...block, show: `all ${block.rows.length}` }, ...marks.map((mark) => {
    const rows = block.rows.filter((row) => row[0].text === mark);
    return { ...block, rows, show: `${mark} ${rows.length}` };
  })];
  const made = sortable(marks.length < 2 ? blocks.slice(0, 1) : blocks, { by: "show", first: blocks[0].show, name: "table of layers", id: "filter" });
  made.at(-1).classList.add("pairs");
  return section("layers", title, make("p", { class: "dim" }, "In the order of the graphs; a heading sorts. = stands for what is as in A. → rewired: takes of others; → renamed: found by its place. The distance is that of the outputs."), made);
}

function distanceSection() {
  const { distances, remarks } = state.facts;
  const told = remarks.map((line) => make("p", { class: "dim" }, line));
  if (!distances.length) return section("distributions", "Distance of distributions", told);
  const made = sortable(distances, { by: "kind", first: distances[0].kind, name: "table of distances", id: "filter-distances" });
  made.at(-1).classList.add("distances");
  return section("distributions", "Distance of distributions", told, made);
}
