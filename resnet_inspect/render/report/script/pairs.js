// Panels of the layers of two runs: layers of both runs, and of only one.

function pairPanel(name) {
  const all = state.facts.layers;
  const layer = state.facts.byName.get(name);
  if (!layer) return null;
  const at = all.indexOf(layer);
  const [a, b] = layer.names;
  const alone = a && b ? "" : `Only ${a ? "A" : "B"} has this ${state.facts.word.slice(0, -1)}.`;
  const renamed = a && b && a !== b ? `${a} in A corresponds to ${b} in B (matched by place in the graph).` : "";
  return {
    title: layer.name,
    name: layer.name,
    around: [all[at - 1]?.name, all[at + 1]?.name],
    body: [
      make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
      ...[alone, renamed].filter(Boolean).map((line) => make("p", {}, line)),
      table(layer.facts, "Properties (≠ marks differences)"),
      layer.changes ? section("panel-changes", "Differences in the graph", table(layer.changes)) : a && b ? make("p", { class: "dim" }, "No difference in the graph.") : "",
      distributions(pairViews(layer), state.facts.recorded.length ? state.facts.recorded : null),
    ],
  };
}

// One view for each tensor, with both runs if both recorded the tensor.
function pairViews(layer) {
  const every = state.facts.series;
  const label = (tensor) => (tensor.kind === "weight" ? tensor.tensor.split("/").at(-1) : tensor.output ? tensor.kind : `${tensor.kind} of ${tensor.tensor}`);
  return layer.tensors.map(([first, second, distance]) => {
    const pair = [every[first], every[second]];
    if (pair[0] && pair[1]) {
      return { label: label(pair[0]), series: pair, sides: ["A", "B"], together: (places, scale, width) => together(pair, places, scale, width), below: () => distanceOf(distance) };
    }
    return { label: `${label(pair[0] ?? pair[1])}, only in ${pair[0] ? "A" : "B"}`, series: [pair[0] ?? pair[1]] };
  });
}

// The distances over the steps. Negative places: -1 for equal distributions, -2 for not compared.
function distanceOf(place) {
  if (place < 0) {
    const reason = place === -1 ? "Both runs have equal distributions at all common steps (distance 0)." : "No distance: the runs have no common step, or the tensor is not a layer's output. `resnet-inspect diff --depth op` compares all ops.";
    return [make("p", { class: "dim" }, reason)];
  }
  const course = state.facts.courses[place];
  const rows = () => course.steps.map((step, at) => [step, course.texts[at]]);
  return [
    make("div", { class: "charts" }, chart("distance between A and B", [course], 0)),
    make("p", { class: "dim" }, `${course.text}.`),
    folded("Distances as a table", () => table({ columns: ["step", "distance"], right: [0, 1], rows: rows() }, "Distance between A and B")),
  ];
}
