// Charts of the scalars over the steps.

function scalarSection() {
  const scalars = state.facts.scalars;
  const charts = make("div", { class: "charts" });
  const redraw = () => charts.replaceChildren(...scalars.map((one) => chart(one.name, [one])));
  state.redraws.push(redraw);
  const steps = [...new Set(scalars.flatMap((one) => one.steps))].sort((a, b) => a - b);
  const columns = ["step", ...scalars.map((one) => one.name)];
  const rows = () => steps.map((step) => [step, ...scalars.map((one) => one.texts[one.steps.indexOf(step)] ?? "–")]);
  return section("scalars", "Scalars over the steps", charts,
    folded(`The same as a table (${steps.length} steps)`, () => table({ columns, right: columns.map((_, at) => at), rows: rows() })));
}

