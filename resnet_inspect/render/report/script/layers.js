// Panels of layers.

function layerPanel(name) {
  const all = state.facts.layers;
  const layer = state.facts.byName.get(name);
  if (!layer) return null;
  const at = all.indexOf(layer);
  const held = state.facts.variables.filter((one) => one[3] === at);
  const box = state.boxes.get(name);
  return {
    around: [all[at - 1]?.name, all[at + 1]?.name],
    body: [
      make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
      box ? make("p", {}, `In the diagram one box stands for ${box.alike ? `${box.every.length} layers like this one` : "this and other layers"}: `, linkTo("box", box.every[0], "list them")) : "",
      pairs(layer.facts), names("takes from", layer.before), names("hands to", layer.after),
      distributions(viewsOf(layer)),
      section("panel-axes", "Why each axis has its size", axesOf(layer.axes)),
      held.length ? section("panel-variables", "Why its variables have their sizes", variablesOf(held)) : "",
      layer.ops.length ? section("panel-ops", "Ops", folded(`${layer.ops.length} ops`, () => opTable(layer.ops))) : "",
    ],
  };
}

// Whether a series is of an output of an op.
const tensorOf = (series, op) => series.kind !== "weight" && series.tensor.startsWith(`${op}:`) && /^\d+$/.test(series.tensor.slice(op.length + 1));

function viewsOf(layer) {
  const every = state.facts.series;
  const own = every.filter((one) => (layer.op ? tensorOf(one, layer.name) : one.layer === layer.name));
  const short = ({ tensor }) => {
    const at = tensor.indexOf(`${layer.name}/`);
    return at < 0 ? tensor : tensor.slice(at + layer.name.length + 1);
  };
  const plain = (one) => (layer.op && own.filter((other) => other.kind === one.kind).length > 1 ? `${one.kind} of ${one.tensor}` : one.kind);
  const named = (one) => (one.kind === "weight" ? short(one) : one.output ? plain(one) : one.kind === "gradient" ? `gradient of ${short(one)}` : short(one));
  const views = own.map((one) => ({ label: named(one), series: [one] }));
  const other = layer.normalized;
  const both = [];
  for (const kind of ["activation", "gradient"]) {
    const mine = own.find((one) => one.output && one.kind === kind);
    const theirs = every.find((one) => one.layer === other && one.output && one.kind === kind);
    if (mine && theirs) {
      const pair = layer.type.startsWith("FusedBatchNorm") ? [theirs, mine] : [mine, theirs];
      both.push({ label: `${kind}, before and after normalization`, series: pair, sides: ["before", "after"] });
    }
  }
  views.splice(2, 0, ...both);
  return views;
}
