// The page of two runs: the order of its sections, and its panels.

const PANELS = { layer: pairPanel, box: boxPanel };

function compose(main, picture) {
  const { facts } = state;
  for (const layer of facts.layers) for (const name of layer.names) if (name && !facts.byName.has(name)) facts.byName.set(name, layer);
  const parts = (every) => every.map(({ name, title, blocks }) => section(name, title, blocks.map(drawn)));
  main.append(...parts(facts.sections), pairSection(), distanceSection());
  if (facts.scalars.length) main.append(scalarSection());
  main.append(picture, ...parts(facts.closing));
}

// The table of all pairs, or of the pairs with one mark, such as renamed.
function pairSection() {
  const { pairs: block, word } = state.facts;
  const title = `${word[0].toUpperCase()}${word.slice(1)}`;
  if (!block.rows.length) return section("layers", title, make("p", { class: "dim" }, "Neither run has a graph."));
  const marks = [...new Set(block.rows.map(([mark]) => mark.text))].sort();
  const blocks = [{ ...block, show: `all ${block.rows.length}` }, ...marks.map((mark) => {
    const rows = block.rows.filter((row) => row[0].text === mark);
    return { ...block, rows, show: `${mark} ${rows.length}` };
  })];
  const parts = sortable(marks.length < 2 ? blocks.slice(0, 1) : blocks, { by: "show", first: blocks[0].show, name: "table of layers", id: "filter" });
  parts.at(-1).classList.add("pairs");
  return section("layers", title, make("p", { class: "dim" }, "In graph order. Click a heading to sort. =: equal to A. → rewired: only the inputs differ. → renamed: matched by place in the graph. distance: between the outputs of A and B."), parts);
}

function distanceSection() {
  const { distances, remarks } = state.facts;
  const lines = remarks.map((line) => make("p", { class: "dim" }, line));
  if (!distances.length) return section("distributions", "Distances of distributions", lines);
  const parts = sortable(distances, { by: "kind", first: distances[0].kind, name: "table of distances", id: "filter-distances" });
  parts.at(-1).classList.add("distances");
  return section("distributions", "Distances of distributions", lines, parts);
}
