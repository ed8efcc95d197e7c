// Plots of distributions: heat maps and ridges over the steps, histograms, and the same as tables.

const PLOT = 240;

// Positions, widths and shares of the cells of one step, on the given scale.
function spread(series, place, scale, width) {
  const own = new Scale(series.scale);
  const borders = own.borders(state.facts.format.cells);
  return state.numbers.cells(series, place).map((share, cell) => {
    const from = scale.at(borders[cell]) * width;
    const to = scale.at(borders[cell + 1]) * width;
    return { share, from, wide: Math.max(0.05, to - from) };
  });
}

function frame(series, scale, width, kind) {
  const rows = series.steps.length;
  const plain = kind === "heat";
  const spacing = Math.min(plain ? 18 : 44, PLOT / rows);
  const rise = plain ? 0 : Math.min(60, Math.max(24, 1.6 * spacing)) * Math.min(1, (rows - 1) / 4);
  const head = 14 + rise;
  const places = series.steps.map((_, place) => place);
  const zeros = places.map((place) => state.numbers.whole(series, place, "zeros") / Math.max(1, state.numbers.whole(series, place, "count")));
  const bad = places.map((place) => notFinite(series, place) / Math.max(1, series.elements ?? state.numbers.whole(series, place, "count")));
  const columns = [["zeros", zeros, "zero"], ["not finite", bad, "bad-fill"]].filter(([, shares]) => shares.some((share) => share > 0));
  const left = 34;
  const room = width - left - 6 - 58 * columns.length;
  return { rows, spacing, rise, head, places, columns, left, room, width, height: head + rows * spacing + 24, scale };
}

const notFinite = (series, place) => ["nan", "posinf", "neginf"].reduce((sum, name) => sum + state.numbers.whole(series, place, name), 0);

function axis(picture, plot, bottom) {
  picture.append(draw("path", { class: "rule", d: `M${plot.left} ${bottom}h${plot.room}` }));
  for (const [at, text] of plot.scale.ticks(plot.room)) {
    const x = plot.left + at * plot.room;
    picture.append(draw("path", { class: "rule", d: `M${x.toFixed(1)} ${bottom}v4` }));
    const half = text.length * 3.2;
    picture.append(label(Math.min(Math.max(x, plot.left - 20 + half), plot.left + plot.room - half), bottom + 16, text, "middle"));
  }
}

function overSteps(series, scale, width, kind) {
  const plot = frame(series, scale, width, kind);
  const middle = (place) => state.numbers.text(series, place, "q0.5");
  const last = series.steps.length - 1;
  const name = `${titleOf(series)}, ${kind === "heat" ? "heat map" : "ridges"} over ${series.steps.length} steps: median ${middle(0)} at step ${series.steps[0]}, ${middle(last)} at step ${series.steps[last]}`;
  const picture = draw("svg", { class: "steps", viewBox: `0 0 ${width} ${plot.height.toFixed(0)}`, width, height: plot.height.toFixed(0), role: "img", "aria-label": name });
  const base = (place) => plot.head + (place + 1) * plot.spacing;
  const all = plot.places.map((place) => spread(series, place, scale, plot.room));
  if (kind === "heat") heat(picture, plot, all, base);
  else ridges(picture, plot, all, base);
  const every = Math.max(1, Math.ceil(13 / plot.spacing));
  for (const place of plot.places) if (place % every === 0) picture.append(label(plot.left - 6, base(place) - plot.spacing / 2 + 4, String(series.steps[place]), "end"));
  plot.columns.forEach(([title, shares, kindOf], column) => {
    const x = plot.left + plot.room + 10 + 58 * column;
    picture.append(label(x, 10, title), draw("rect", { class: "column", x, y: plot.head, width: 46, height: (plot.rows * plot.spacing).toFixed(2) }));
    for (const place of plot.places) {
      if (shares[place] > 0) picture.append(draw("rect", { class: kindOf, x, y: (base(place) - plot.spacing).toFixed(2), width: Math.max(1, 46 * shares[place]).toFixed(1), height: Math.max(1, plot.spacing - (plot.spacing > 4 ? 1 : 0)).toFixed(2) }));
    }
  });
  axis(picture, plot, plot.height - 24);
  const mark = draw("rect", { class: "mark", x: plot.left - 1, width: plot.room + 2, height: Math.max(2, plot.spacing).toFixed(2) });
  picture.append(mark);
  picture.addEventListener("click", (event) => {
    const y = ((event.clientY - picture.getBoundingClientRect().top) * plot.height) / picture.getBoundingClientRect().height;
    const place = Math.floor((y - plot.head) / plot.spacing);
    if (place >= 0 && place < plot.rows) setStep(series.steps[place]);
  });
  picture.at = (step) => {
    const place = nearest(series, step);
    mark.setAttribute("y", (base(place) - plot.spacing).toFixed(2));
  };
  return picture;
}

function heat(picture, plot, all, base) {
  const density = all.map((cells) => cells.map((bin) => bin.share / bin.wide));
  const peaks = density.map((row) => Math.max(...row)).filter((peak) => peak > 0).sort((a, b) => a - b);
  const full = peaks.length ? Math.min(peaks.at(-1), 2 * peaks[Math.floor(peaks.length / 2)]) : 1;
  const paths = {};
  all.forEach((cells, place) => cells.forEach((bin, cell) => {
    if (!(bin.share > 0)) return;
    const level = Math.min(9, Math.max(1, Math.ceil((9 * density[place][cell]) / full - 1e-9)));
    const top = (base(place) - plot.spacing).toFixed(2);
    paths[level] = `${paths[level] ?? ""}M${(plot.left + bin.from).toFixed(2)} ${top}h${bin.wide.toFixed(2)}v${plot.spacing.toFixed(2)}h${(-bin.wide).toFixed(2)}z`;
  }));
  picture.append(draw("rect", { class: "l0", x: plot.left, y: plot.head, width: plot.room, height: (plot.rows * plot.spacing).toFixed(2) }));
  for (const [level, path] of Object.entries(paths)) picture.append(draw("path", { class: `l${level}`, d: path, "shape-rendering": "crispEdges" }));
}

function ridges(picture, plot, all, base) {
  all.forEach((cells, place) => {
    const density = cells.map((bin) => bin.share / bin.wide);
    const top = Math.max(...density);
    const foot = base(place);
    if (!(top > 0)) return;
    const high = plot.rise + plot.spacing;
    const line = cells.map((bin, cell) => `L${(plot.left + bin.from + bin.wide / 2).toFixed(1)} ${(foot - (high * density[cell]) / top).toFixed(1)}`).join("");
    const end = cells.at(-1);
    const level = 3 + Math.round((4 * place) / Math.max(1, all.length - 1));
    picture.append(draw("path", { class: `ridge l${level}`, d: `M${(plot.left + cells[0].from).toFixed(1)} ${foot.toFixed(1)}${line}L${(plot.left + end.from + end.wide).toFixed(1)} ${foot.toFixed(1)}z` }));
  });
}

function histogram(series, place, scale, width) {
  const [left, height] = [34, 132]; // as wide as the picture above it
  const { room } = frame(series, scale, width, "heat");
  const cells = spread(series, place, scale, room);
  const top = Math.max(...cells.map((bin) => bin.share / bin.wide), 0);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Histogram of ${titleOf(series)} at step ${series.steps[place]}` });
  const path = cells.map((bin) => {
    const high = bin.share > 0 ? Math.max(1, ((height - 34) * bin.share) / bin.wide / top) : 0;
    return high ? `M${(left + bin.from).toFixed(1)} ${height - 24}v${(-high).toFixed(1)}h${bin.wide.toFixed(1)}v${high.toFixed(1)}z` : "";
  }).join("");
  picture.append(draw("path", { class: "histogram", d: path }));
  axis(picture, { left, room, scale }, height - 24);
  return picture;
}

const nearest = (series, step) => series.steps.reduce((best, candidate, place) => (Math.abs(candidate - step) < Math.abs(series.steps[best] - step) ? place : best), 0);

function titleOf(series) {
  if (series.kind === "weight") return `weight ${series.tensor}`;
  const name = series.output ? series.layer : series.tensor;
  return series.kind === "gradient" ? `gradient of ${name}` : name;
}

const QUANTILES = [["q0.01", "1 %"], ["q0.05", "5 %"], ["q0.25", "25 %"], ["q0.5", "median"], ["q0.75", "75 %"], ["q0.95", "95 %"], ["q0.99", "99 %"]];

function stepTable(series) {
  const names = ["mean", "std", "min", ...QUANTILES.map(([name]) => name), "max"];
  const titles = ["mean", "std", "min", ...QUANTILES.map(([, title]) => title), "max"];
  const numbers = state.numbers;
  const ratio = series.steps.some((_, place) => numbers.text(series, place, "ratio") !== "–");
  const columns = ["step", ...titles, "values", "zeros", "NaN", "+Inf", "−Inf", ...(ratio ? ["‖Δw‖/‖w‖"] : [])];
  const rows = series.steps.map((step, place) => [
    step, ...names.map((name) => numbers.text(series, place, name)),
    ...["count", "zeros", "nan", "posinf", "neginf"].map((name) => numbers.whole(series, place, name).toLocaleString("en")),
    ...(ratio ? [numbers.text(series, place, "ratio")] : []),
  ]);
  return table({ columns, right: columns.map((_, at) => at), rows }, titleOf(series));
}

function cellTable(series, place) {
  const borders = new Scale(series.scale).borders(state.facts.format.cells);
  const rows = state.numbers.cells(series, place).map((share, cell) => [tick(borders[cell]), tick(borders[cell + 1]), percent(share)]);
  return table({ columns: ["from", "to", "share"], right: [0, 1, 2], rows }, `${titleOf(series)} at step ${series.steps[place]} (error of shares: up to 2 % of the largest)`);
}
