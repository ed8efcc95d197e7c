// Charts of the scalars over the steps.

function scalarSection() {
  const scalars = state.facts.scalars;
  const charts = make("div", { class: "charts" });
  const redraw = () => charts.replaceChildren(...scalars.map(chart));
  state.redraws.push(redraw);
  const steps = [...new Set(scalars.flatMap((one) => one.steps))].sort((a, b) => a - b);
  const columns = ["step", ...scalars.map((one) => one.name)];
  const rows = () => steps.map((step) => [step, ...scalars.map((one) => one.texts[one.steps.indexOf(step)] ?? "–")]);
  return section("scalars", "Scalars over the steps", charts,
    folded(`The same as a table (${steps.length} steps)`, () => table({ columns, right: columns.map((_, at) => at), rows: rows() })));
}

function chart(scalar) {
  const [width, height, left] = [300, 110, 52];
  const known = scalar.values.filter((one) => one !== null);
  const [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  const span = high - low || 1;
  const last = Math.max(1, scalar.steps.length - 1);
  const x = (at) => left + ((width - left - 8) * at) / last;
  const y = (value) => height - 22 - ((height - 34) * (value - low)) / span;
  let path = "";
  let pen = "M";
  const bad = [];
  scalar.values.forEach((value, at) => {
    if (value === null) { pen = "M"; bad.push(at); return; }
    path += `${pen}${x(at).toFixed(1)} ${y(high === low ? low + 0.5 : value).toFixed(1)}`;
    pen = "L";
  });
  const end = scalar.texts.length - 1;
  const name = `${scalar.name}: ${scalar.texts[0]} at step ${scalar.steps[0]}, ${scalar.texts[end]} at step ${scalar.steps[end]}`;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name });
  if (known.length) {
    picture.append(draw("path", { class: "rule", d: `M${left} ${height - 22}H${width - 8}` }), draw("path", { class: "line", d: path }));
    if (known.length === 1) picture.append(draw("circle", { class: "dot-mark", cx: x(scalar.values.indexOf(known[0])), cy: y(low + 0.5 * (high === low)), r: 3 }));
    picture.append(label(left - 6, 16, tick(high), "end"));
    if (high > low) picture.append(label(left - 6, height - 22, tick(low), "end"));
  }
  for (const at of bad) picture.append(draw("text", { class: "bad-mark", x: x(at), y: 14, "text-anchor": "middle" }, "!"));
  picture.append(label(left, height - 6, `step ${scalar.steps[0]}`, "start"), label(width - 8, height - 6, String(scalar.steps[end]), "end"));
  const remark = bad.length ? make("div", { class: "bad" }, `! not finite at ${bad.length} of ${scalar.values.length} steps`) : "";
  return make("figure", {}, make("figcaption", {}, make("b", {}, scalar.name), ` ${scalar.texts[0]} → ${scalar.texts[end]}`), picture, remark);
}

const label = (x, y, text, anchor = "start", kind = "note") => draw("text", { class: kind, x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor }, text);
