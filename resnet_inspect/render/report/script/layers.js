// Panels of layers.

function layerPanel(name) {
  const all = state.facts.layers;
  const layer = state.facts.byName.get(name);
  if (!layer) return null;
  const at = all.indexOf(layer);
  const variables = state.facts.variables.filter(([, , , owner]) => owner === at);
  const box = state.boxes.get(name);
  return {
    around: [all[at - 1]?.name, all[at + 1]?.name],
    body: [
      make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
      box ? make("p", {}, `One box of the diagram shows ${box.alike ? `${box.every.length} equal layers` : "this and other layers"}: `, linkTo("box", box.every[0], "list them")) : "",
      pairs(layer.facts), names("inputs from", layer.before), names("outputs to", layer.after),
      distributions(viewsOf(layer)),
      section("panel-axes", "Why each axis has its size", axesOf(layer.axes)),
      variables.length ? section("panel-variables", "Sizes of its variables", variablesOf(variables)) : "",
      layer.ops.length ? section("panel-ops", "Ops", folded(`${layer.ops.length} ops`, () => opTable(layer.ops))) : "",
    ],
  };
}

// Whether a series belongs to an output of the op.
const tensorOf = (series, op) => series.kind !== "weight" && series.tensor.startsWith(`${op}:`) && /^\d+$/.test(series.tensor.slice(op.length + 1));

function viewsOf(layer) {
  const every = state.facts.series;
  const own = every.filter((series) => (layer.op ? tensorOf(series, layer.name) : series.layer === layer.name));
  const short = ({ tensor }) => {
    const at = tensor.indexOf(`${layer.name}/`);
    return at < 0 ? tensor : tensor.slice(at + layer.name.length + 1);
  };
  const plain = (tensor) => (layer.op && own.filter((other) => other.kind === tensor.kind).length > 1 ? `${tensor.kind} of ${tensor.tensor}` : tensor.kind);
  const named = (tensor) => (tensor.kind === "weight" ? short(tensor) : tensor.output ? plain(tensor) : tensor.kind === "gradient" ? `gradient of ${short(tensor)}` : short(tensor));
  const views = own.map((series) => ({ label: named(series), series: [series] }));
  const other = layer.normalized;
  const both = [];
  for (const kind of ["activation", "gradient"]) {
    const mine = own.find((tensor) => tensor.output && tensor.kind === kind);
    const theirs = every.find((tensor) => tensor.layer === other && tensor.output && tensor.kind === kind);
    if (mine && theirs) {
      const pair = layer.type.startsWith("FusedBatchNorm") ? [theirs, mine] : [mine, theirs];
      both.push({ label: `${kind}, before and after normalization`, series: pair, sides: ["before", "after"] });
    }
  }
  views.splice(2, 0, ...both);
  return views;
}
