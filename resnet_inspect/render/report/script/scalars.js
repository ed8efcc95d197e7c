// Charts of scalars over the steps.

function scalarSection() {
  const scalars = state.facts.scalars;
  const charts = make("div", { class: "charts" });
  const redraw = () => charts.replaceChildren(...scalars.map((scalar) => chart(scalar.name, scalar.curves ?? [scalar])));
  state.redraws.push(redraw);
  const every = scalars.flatMap((scalar) => scalar.curves?.map((side) => ({ ...side, name: `${scalar.name} ${side.label}` })) ?? [scalar]);
  const steps = [...new Set(every.flatMap((scalar) => scalar.steps))].sort((a, b) => a - b);
  const columns = ["step", ...every.map((scalar) => scalar.name)];
  const rows = () => steps.map((step) => [step, ...every.map((scalar) => scalar.texts[scalar.steps.indexOf(step)] ?? "–")]);
  return section("scalars", "Scalars over the steps", charts,
    folded(`Scalars as a table (${steps.length} steps)`, () => table({ columns, right: columns.map((_, at) => at), rows: rows() })));
}

