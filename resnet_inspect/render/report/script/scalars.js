// Charts of the scalars over the steps.

function scalarSection() {
  const scalars = state.facts.scalars;
  const charts = make("div", { class: "charts" });
  const redraw = () => charts.replaceChildren(...scalars.map((one) => chart(one.name, one.curves ?? [one])));
  state.redraws.push(redraw);
  const every = scalars.flatMap((one) => one.curves?.map((side) => ({ ...side, name: `${one.name} ${side.label}` })) ?? [one]);
  const steps = [...new Set(every.flatMap((one) => one.steps))].sort((a, b) => a - b);
  const columns = ["step", ...every.map((one) => one.name)];
  const rows = () => steps.map((step) => [step, ...every.map((one) => one.texts[one.steps.indexOf(step)] ?? "–")]);
  return section("scalars", "Scalars over the steps", charts,
    folded(`The same as a table (${steps.length} steps)`, () => table({ columns, right: columns.map((_, at) => at), rows: rows() })));
}

