// Distributions of two runs at one step on the same axes: that of A filled, that of B as a dashed outline.

function together(pair, places, scale, width) {
  const [left, height] = [34, 150];
  const room = Math.min(...pair.map((one) => frame(one, scale, width, "heat").room));
  const all = pair.map((one, at) => spread(one, places[at], scale, room));
  const top = Math.max(...all.flat().map((one) => one.share / one.wide), 1e-300);
  const foot = height - 24;
  const high = (one) => ((foot - 10) * one.share) / one.wide / top;
  const title = `${titleOf(pair[0])} at step ${pair.map((one, at) => one.steps[places[at]]).filter((one, at, every) => every.indexOf(one) === at).join(" of A and step ")}${pair[0].steps[places[0]] === pair[1].steps[places[1]] ? "" : " of B"}`;
  const picture = draw("svg", { class: "together", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Both distributions, ${title}` });
  const bars = all[0].map((one) => (one.share > 0 ? `M${(left + one.from).toFixed(1)} ${foot}v${(-Math.max(1, high(one))).toFixed(1)}h${one.wide.toFixed(1)}V${foot}z` : "")).join("");
  const line = all[1].map((one) => `V${(foot - high(one)).toFixed(1)}H${(left + one.from + one.wide).toFixed(1)}`).join("");
  picture.append(draw("path", { class: "histogram", d: bars }), draw("path", { class: "line b", d: `M${(left + all[1][0].from).toFixed(1)} ${foot}${line}V${foot}` }));
  axis(picture, { left, room, scale }, foot);
  const legend = make("figcaption", {}, make("b", {}, title), make("div", { class: "key" }, keyBar(), " A, filled ", keyLine("b"), " B, dashed outline"));
  return [make("figure", {}, legend, picture), sideTable(pair, places), folded("The shares of both as a table", () => shareTable(pair, places))];
}

const keyBar = () => draw("svg", { class: "key-line", viewBox: "0 0 28 8", width: 28, height: 8, "aria-hidden": "true" }, draw("path", { class: "histogram", d: "M0 0H28V8H0z" }));

function sideTable(pair, places) {
  const { numbers } = state;
  const names = ["mean", "std", "min", "q0.5", "max"];
  const rows = pair.map((one, at) => {
    const where = places[at];
    const count = Math.max(1, numbers.whole(one, where, "count"));
    const outside = ["below", "above"].reduce((sum, side) => sum + (numbers.value(one, where, side) || 0), 0);
    return [`${"AB"[at]}, step ${one.steps[where]}`, ...names.map((name) => numbers.text(one, where, name)), percent(numbers.whole(one, where, "zeros") / count), percent(outside), notFinite(one, where).toLocaleString("en")];
  });
  const columns = ["", "mean", "std", "min", "median", "max", "zeros", "outside the axis", "not finite"];
  return table({ columns, right: columns.map((_, at) => at).slice(1), rows }, "The numbers of both at this step");
}

function shareTable(pair, places) {
  const borders = new Scale(pair[0].scale).borders(state.facts.format.cells);
  const cells = pair.map((one, at) => state.numbers.cells(one, places[at]));
  const rows = cells[0].map((share, cell) => [tick(borders[cell]), tick(borders[cell + 1]), percent(share), percent(cells[1][cell])]);
  return table({ columns: ["from", "to", "A", "B"], right: [0, 1, 2, 3], rows }, `${titleOf(pair[0])}; shares are within 2 % of the largest`);
}
