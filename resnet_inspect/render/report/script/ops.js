// Panels of ops and variables, packed by render/report/ops.py.

const opNamed = (at) => {
  const [name, inputs, layer, lines, outputs, axes] = state.facts.ops[at];
  return { name, inputs, layer: state.facts.layers[layer]?.name ?? "", lines: state.facts.lines[lines], outputs: outputs.map((one) => state.facts.specs[one]), axes };
};

const variableNamed = (at) => {
  const [name, shape, kept, layer, lines, readers, axes] = state.facts.variables[at];
  return { name, shape, kept, layer: state.facts.layers[layer]?.name ?? "", lines: state.facts.lines[lines], readers: readers.map((one) => state.facts.ops[one][0]), axes };
};

// The ops that read outputs of each op; made when it is first asked for.
function usersOf(at) {
  if (!state.users) {
    state.users = state.facts.ops.map(() => new Set());
    state.facts.ops.forEach(([, inputs], user) => { for (let one = 0; one < inputs.length; one += 2) state.users[inputs[one]].add(user); });
  }
  return [...state.users[at]];
}

// The row of the shape table, as labels and texts.
function rowOf(at) {
  const block = state.facts.shapes.find((one) => one.depth === "op");
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
    const inside = () => (axes === 0 ? make("p", {}, "Not explained on this page, which would be too large; this does: ", make("code", {}, command)) : axesOf(axes));
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
  for (let one = 0; one < op.inputs.length; one += 2) {
    const maker = all[op.inputs[one]];
    sources.push(make("li", {}, linkTo("op", maker[0], `${maker[0]}:${op.inputs[one + 1]}`), ` ${state.facts.specs[maker[4][op.inputs[one + 1]]] ?? ""}`));
  }
  const users = usersOf(at).map((one) => all[one][0]);
  const held = state.facts.variables.filter((one) => one[5].includes(at));
  const shownHere = state.facts.series.some((one) => tensorOf(one, name));
  return {
    around: [all[at - 1]?.[0], all[at + 1]?.[0]],
    body: [
      op.layer ? make("p", {}, make("span", { class: "dim" }, "op of layer "), link(op.layer)) : make("p", { class: "dim" }, state.facts.layers.length ? "op of no layer" : "op"),
      pairs([...rowOf(at).map(([label, text]) => [label, [text]]), ...(op.lines.length ? [["line", op.lines]] : [])]),
      sources.length ? make("div", {}, make("span", { class: "dim" }, "takes"), make("ol", { start: 0, class: "taken" }, sources)) : "",
      users.length > 12 ? folded(`hands to ${users.length} ops`, () => opTable(users)) : names("hands to", users, "op"),
      shownHere ? distributions(viewsOf({ name, type: "", normalized: "", op: true })) : "",
      section("panel-axes", "Why each axis has its size", op.outputs.length ? outputAxes(op) : make("p", { class: "dim" }, "It has no output, only an effect.")),
      held.length ? section("panel-variables", "Why the variables it reads have their sizes", variablesOf(held)) : "",
    ],
  };
}

function variablePanel(name) {
  const all = state.facts.variables;
  const at = state.facts.variableAt.get(name);
  if (at === undefined) return null;
  const found = variableNamed(at);
  return {
    around: [all[at - 1]?.[0], all[at + 1]?.[0]],
    body: [
      found.layer ? make("p", {}, make("span", { class: "dim" }, "variable of layer "), link(found.layer)) : "",
      pairs([["shape", [found.shape]], ["kept", [found.kept]], ...(found.lines.length ? [["line", found.lines]] : [])]),
      names("used by", found.readers, "op"),
      section("panel-axes", "Why each axis has its size", axesOf(found.axes)),
    ],
  };
}
