// Charts of numbers over the steps: one curve, or the curves of several runs on the same axes.

// A curve is { steps, values, texts }. One of several also has { label, kind }; the kind selects its
// line style. The axis always includes `least`.
function chart(name, curves, least = Infinity) {
  const [width, height, left] = [300, 110, 52];
  const known = curves.flatMap((series) => series.values.filter((value) => value !== null));
  const [low, high] = known.length ? [Math.min(least, ...known), Math.max(...known)] : [0, 1];
  const span = high - low || 1;
  const steps = curves.flatMap((series) => series.steps);
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  const x = (step) => left + ((width - left - 8) * (step - first)) / Math.max(1, last - first);
  const y = (value) => height - 22 - ((height - 34) * (high === low ? 0.5 : value - low)) / span;
  const ends = ({ steps: own, texts }) => `${texts[0]} at step ${own[0]}, ${texts.at(-1)} at step ${own.at(-1)}`;
  const spoken = `${name}: ${curves.map((series) => (series.label ? `${series.label}: ` : "") + ends(series)).join("; ")}`;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken });
  if (known.length) picture.append(draw("path", { class: "rule", d: `M${left} ${height - 22}H${width - 8}` }));
  for (const line of curves) curve(picture, line, x, y);
  if (known.length) {
    picture.append(label(left - 6, 16, tick(high), "end"));
    if (high > low) picture.append(label(left - 6, height - 22, tick(low), "end"));
  }
  picture.append(label(left, height - 6, `step ${first}`, "start"), label(width - 8, height - 6, String(last), "end"));
  const remarks = curves.map((series) => {
    const bad = series.values.filter((value) => value === null).length;
    return bad ? make("div", { class: "bad" }, `! ${series.label ? `${series.label} ` : ""}not finite at ${bad} of ${series.values.length} steps`) : "";
  });
  const ranges = curves.map((series) => (series.label ? make("div", { class: "key" }, keyLine(series.kind), ` ${series.label} `, `${series.texts[0]} → ${series.texts.at(-1)}`) : ` ${series.texts[0]} → ${series.texts.at(-1)}`));
  return make("figure", {}, make("figcaption", {}, make("b", {}, name), ranges), picture, remarks);
}

function curve(picture, { steps, values, kind = "" }, x, y) {
  let path = "";
  let pen = "M";
  values.forEach((value, at) => {
    if (value === null) {
      pen = "M";
      picture.append(draw("text", { class: "bad-mark", x: x(steps[at]), y: 14, "text-anchor": "middle" }, "!"));
      return;
    }
    path += `${pen}${x(steps[at]).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  if (!path) return;
  picture.append(draw("path", { class: `line ${kind}`.trim(), d: path }));
  const alone = values.findIndex((value) => value !== null);
  if (values.filter((value) => value !== null).length === 1) picture.append(draw("circle", { class: `dot-mark ${kind}`.trim(), cx: x(steps[alone]), cy: y(values[alone]), r: 3 }));
}

// A piece of a curve's line, for the legend.
const keyLine = (kind) => draw("svg", { class: "key-line", viewBox: "0 0 28 8", width: 28, height: 8, "aria-hidden": "true" }, draw("path", { class: `line ${kind}`, d: "M0 4H28" }));

const label = (x, y, text, anchor = "start", kind = "note") => draw("text", { class: kind, x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor }, text);
