// Panels of ops and variables, packed by render/report/ops.py.

const opNamed = (at) => {
  const [name, inputs, layer, lines, outputs, axes] = state.facts.ops[at];
  return { name, inputs, layer: state.facts.layers[layer]?.name ?? "", lines: state.facts.lines[lines], outputs: outputs.map((spec) => state.facts.specs[spec]), axes };
};

const variableNamed = (at) => {
  const [name, shape, kept, layer, lines, readers, axes] = state.facts.variables[at];
  return { name, shape, kept, layer: state.facts.layers[layer]?.name ?? "", lines: state.facts.lines[lines], readers: readers.map((op) => state.facts.ops[op][0]), axes };
};

// The ops that read the outputs of an op; computed for all ops at the first call.
function readersOf(at) {
  if (!state.readers) {
    state.readers = state.facts.ops.map(() => new Set());
    state.facts.ops.forEach(([, inputs], reader) => { for (let at = 0; at < inputs.length; at += 2) state.readers[inputs[at]].add(reader); });
  }
  return [...state.readers[at]];
}

// The row of the shape table, as labels and texts.
function rowOf(at) {
  const block = state.facts.shapes.find(({ depth }) => depth === "op");
  return block.columns.map((label, place) => [label, block.rows[at][place]])
    .map(([label, cell]) => [label, typeof cell === "object" ? cell.text ?? "" : cell]).slice(1).filter(([, text]) => text !== "");
}

function opTable(every) {
  const rows = every.map((name) => {
    const at = state.facts.opAt.get(name);
    return [{ op: at }, rowOf(at)[0][1], opNamed(at).outputs[0] ?? ""];
  });
  return table({ columns: ["op", "type", "output"], right: [], rows }, "Ops");
}

function outputAxes(op) {
  const command = `${state.facts.program} why ${quoted(op.name)} ${state.facts.file}`;
  return op.outputs.map((spec, index) => {
    const axes = op.axes[index];
    const inside = () => (axes === 0 ? make("p", {}, "Not explained on this page, to limit its size. Show it with: ", make("code", {}, command)) : axesOf(axes));
    return op.outputs.length > 1 ? folded(make("span", {}, make("b", {}, `output ${index}`), ` ${spec}`), inside, index === 0) : inside();
  });
}

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

function opPanel(name) {
  const at = state.facts.opAt.get(name);
  if (at === undefined) return null;
  const op = opNamed(at);
  const all = state.facts.ops;
  const sources = [];
  for (let slot = 0; slot < op.inputs.length; slot += 2) {
    const maker = all[op.inputs[slot]];
    sources.push(make("li", {}, linkTo("op", maker[0], `${maker[0]}:${op.inputs[slot + 1]}`), ` ${state.facts.specs[maker[4][op.inputs[slot + 1]]] ?? ""}`));
  }
  const readers = readersOf(at).map((reader) => all[reader][0]);
  const variables = state.facts.variables.filter(([, , , , , readers]) => readers.includes(at));
  const recorded = state.facts.series.some((series) => tensorOf(series, name));
  return {
    around: [all[at - 1]?.[0], all[at + 1]?.[0]],
    body: [
      op.layer ? make("p", {}, make("span", { class: "dim" }, "op of layer "), link(op.layer)) : make("p", { class: "dim" }, state.facts.layers.length ? "op outside of layers" : "op"),
      pairs([...rowOf(at).map(([label, text]) => [label, [text]]), ...(op.lines.length ? [["line", op.lines]] : [])]),
      sources.length ? make("div", {}, make("span", { class: "dim" }, "inputs"), make("ol", { start: 0, class: "taken" }, sources)) : "",
      readers.length > 12 ? folded(`read by ${readers.length} ops`, () => opTable(readers)) : names("read by", readers, "op"),
      recorded ? distributions(viewsOf({ name, type: "", normalized: "", op: true })) : "",
      section("panel-axes", "Why each axis has its size", op.outputs.length ? outputAxes(op) : make("p", { class: "dim" }, "This op has no output.")),
      variables.length ? section("panel-variables", "Sizes of the variables that it reads", variablesOf(variables)) : "",
    ],
  };
}

function variablePanel(name) {
  const all = state.facts.variables;
  const at = state.facts.variableAt.get(name);
  if (at === undefined) return null;
  const variable = variableNamed(at);
  return {
    around: [all[at - 1]?.[0], all[at + 1]?.[0]],
    body: [
      variable.layer ? make("p", {}, make("span", { class: "dim" }, "variable of layer "), link(variable.layer)) : "",
      pairs([["shape", [variable.shape]], ["training", [variable.kept]], ...(variable.lines.length ? [["line", variable.lines]] : [])]),
      names("read by", variable.readers, "op"),
      section("panel-axes", "Why each axis has its size", axesOf(variable.axes)),
    ],
  };
}
