// The distributions of two runs at one step, on the same axes: A filled, B as a dashed outline.

function together(pair, places, scale, width) {
  const [left, height] = [34, 150];
  const room = Math.min(...pair.map((tensor) => frame(tensor, scale, width, "heat").room));
  const all = pair.map((tensor, at) => spread(tensor, places[at], scale, room));
  const top = Math.max(...all.flat().map((bin) => bin.share / bin.wide), 1e-300);
  const foot = height - 24;
  const high = (bin) => ((foot - 10) * bin.share) / bin.wide / top;
  const [stepA, stepB] = pair.map((tensor, at) => tensor.steps[places[at]]);
  const title = `${titleOf(pair[0])} at step ${stepA === stepB ? stepA : `${stepA} of A and step ${stepB} of B`}`;
  const picture = draw("svg", { class: "together", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Both distributions, ${title}` });
  const bars = all[0].map((bin) => (bin.share > 0 ? `M${(left + bin.from).toFixed(1)} ${foot}v${(-Math.max(1, high(bin))).toFixed(1)}h${bin.wide.toFixed(1)}V${foot}z` : "")).join("");
  const line = all[1].map((bin) => `V${(foot - high(bin)).toFixed(1)}H${(left + bin.from + bin.wide).toFixed(1)}`).join("");
  picture.append(draw("path", { class: "histogram", d: bars }), draw("path", { class: "line b", d: `M${(left + all[1][0].from).toFixed(1)} ${foot}${line}V${foot}` }));
  axis(picture, { left, room, scale }, foot);
  const legend = make("figcaption", {}, make("b", {}, title), make("div", { class: "key" }, keyBar(), " A, filled ", keyLine("b"), " B, dashed outline"));
  return [make("figure", {}, legend, picture), sideTable(pair, places), folded("Both distributions as a table", () => shareTable(pair, places))];
}

const keyBar = () => draw("svg", { class: "key-line", viewBox: "0 0 28 8", width: 28, height: 8, "aria-hidden": "true" }, draw("path", { class: "histogram", d: "M0 0H28V8H0z" }));

function sideTable(pair, places) {
  const { numbers } = state;
  const names = ["mean", "std", "min", "q0.5", "max"];
  const rows = pair.map((tensor, at) => {
    const where = places[at];
    const count = Math.max(1, numbers.whole(tensor, where, "count"));
    const outside = ["below", "above"].reduce((sum, side) => sum + (numbers.value(tensor, where, side) || 0), 0);
    return [`${"AB"[at]}, step ${tensor.steps[where]}`, ...names.map((name) => numbers.text(tensor, where, name)), percent(numbers.whole(tensor, where, "zeros") / count), percent(outside), notFinite(tensor, where).toLocaleString("en")];
  });
  const columns = ["", "mean", "std", "min", "median", "max", "zeros", "outside the axis", "not finite"];
  return table({ columns, right: columns.map((_, at) => at).slice(1), rows }, "Statistics of both runs at this step");
}

function shareTable(pair, places) {
  const borders = new Scale(pair[0].scale).borders(state.facts.format.cells);
  const cells = pair.map((tensor, at) => state.numbers.cells(tensor, places[at]));
  const rows = cells[0].map((share, cell) => [tick(borders[cell]), tick(borders[cell + 1]), percent(share), percent(cells[1][cell])]);
  return table({ columns: ["from", "to", "A", "B"], right: [0, 1, 2, 3], rows }, `${titleOf(pair[0])} (error of shares: up to 2 % of the largest)`);
}
