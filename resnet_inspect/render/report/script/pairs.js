// Panels of layers that two runs have, or one of them.

function pairPanel(name) {
  const all = state.facts.layers;
  const layer = state.facts.byName.get(name);
  if (!layer) return null;
  const at = all.indexOf(layer);
  const [a, b] = layer.names;
  const alone = a && b ? "" : `Only ${a ? "A" : "B"} has it; what it held is shown alone.`;
  const renamed = a && b && a !== b ? `${a} in A corresponds to ${b} in B, by its place in the graph.` : "";
  return {
    title: layer.name,
    name: layer.name,
    around: [all[at - 1]?.name, all[at + 1]?.name],
    body: [
      make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
      ...[alone, renamed].filter(Boolean).map((line) => make("p", {}, line)),
      table(layer.facts, "What it is; ≠ marks what differs"),
      layer.changes ? section("panel-changes", "What differs in the graph", table(layer.changes)) : a && b ? make("p", { class: "dim" }, "In the graph it is the same in both.") : "",
      distributions(pairViews(layer), state.facts.recorded.length ? state.facts.recorded : null),
    ],
  };
}

// One view for each tensor: of both runs where both recorded it.
function pairViews(layer) {
  const every = state.facts.series;
  const label = (one) => (one.kind === "weight" ? one.tensor.split("/").at(-1) : one.output ? one.kind : `${one.kind} of ${one.tensor}`);
  return layer.tensors.map(([first, second, apart]) => {
    const pair = [every[first], every[second]];
    if (pair[0] && pair[1]) {
      return { label: label(pair[0]), series: pair, sides: ["A", "B"], together: (places, scale, width) => together(pair, places, scale, width), below: () => distanceOf(apart) };
    }
    return { label: `${label(pair[0] ?? pair[1])}, only in ${pair[0] ? "A" : "B"}`, series: [pair[0] ?? pair[1]] };
  });
}

// How far apart both are over the steps; below 0: the same, or not compared.
function distanceOf(place) {
  if (place < 0) {
    const told = place === -1 ? "Both held the same at all steps in common: the distance is 0." : "No distance: no step was recorded in both, or it is no output of a layer; `resnet-inspect diff --depth op` compares those.";
    return [make("p", { class: "dim" }, told)];
  }
  const course = state.facts.courses[place];
  const rows = () => course.steps.map((step, at) => [step, course.texts[at]]);
  return [
    make("div", { class: "charts" }, chart("distance of A and B over the steps", [course], 0)),
    make("p", { class: "dim" }, `${course.told}.`),
    folded("The distances as a table", () => table({ columns: ["step", "distance"], right: [0, 1], rows: rows() }, "Distance of A and B")),
  ];
}
