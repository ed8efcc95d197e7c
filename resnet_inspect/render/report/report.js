"use strict";
// Draws the page from its two blocks of compressed data. Text enters the page through `shown` and
// text nodes only; nothing is ever parsed as HTML, and nothing is asked of a network.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const state = { layer: null, step: 0, view: 0, style: "heat", facts: null, numbers: null, nodes: new Map() };

  // ---- text and elements ---------------------------------------------------------------------

  // Control, format and separator characters become escapes: none may reorder or hide a text.
  const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
  const NAMED = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

  function spelled(sign) {
    const code = sign.codePointAt(0).toString(16);
    if (code.length <= 2) return NAMED[sign] ?? `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  }

  const shown = (text) => String(text).replace(HIDDEN, spelled);

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value === null || value === undefined) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : shown(value));
    }
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === "") continue;
      element.append(child instanceof Node ? child : document.createTextNode(shown(child)));
    }
    return element;
  }

  const make = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  // ---- the data ------------------------------------------------------------------------------

  async function unpack(id) {
    const text = byId(id).textContent;
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // What render/report/numbers.py packed: planes of bytes, see there.
  class Numbers {
    constructor(bytes, series, format) {
      this.bytes = bytes;
      this.format = format;
      let rows = 0;
      for (const one of series) {
        one.first = rows;
        rows += one.steps.length;
      }
      this.rows = rows;
      this.mantissas = 4 * rows * format.whole.length;
      this.exponents = this.mantissas + 2 * rows * format.decimal.length;
      this.shades = this.exponents + 2 * rows * format.decimal.length;
    }

    whole(series, place, name) {
      const planes = this.rows * this.format.whole.length;
      const at = this.format.whole.indexOf(name) * this.rows + series.first + place;
      let value = 0;
      for (let plane = 3; plane >= 0; plane--) value = value * 256 + this.bytes[plane * planes + at];
      return value;
    }

    short(start, at) {
      const planes = this.rows * this.format.decimal.length;
      const value = this.bytes[start + at] | (this.bytes[start + planes + at] << 8);
      return value > 32767 ? value - 65536 : value;
    }

    // [mantissa, exponent] of a number; text and value of it are made from these.
    decimal(series, place, name) {
      const at = this.format.decimal.indexOf(name) * this.rows + series.first + place;
      return [this.short(this.mantissas, at), this.short(this.exponents, at)];
    }

    value(series, place, name) {
      const [mantissa, exponent] = this.decimal(series, place, name);
      if (exponent === this.format.infinite) return mantissa * Infinity;
      if (exponent === this.format.none) return NaN;
      return Number(`${mantissa}e${exponent}`);
    }

    text(series, place, name) {
      const [mantissa, exponent] = this.decimal(series, place, name);
      if (exponent === this.format.none) return "–";
      if (exponent === this.format.infinite) return mantissa > 0 ? "inf" : "−inf";
      if (!mantissa) return "0";
      const digits = String(Math.abs(mantissa)).padEnd(4, "0");
      const sign = mantissa < 0 ? "−" : "";
      const power = exponent + 3;
      if (power >= 0 && power < 3) return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
      if (power === 3) return sign + digits;
      if (power < 0 && power >= -3) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
      return `${sign}${digits[0]}.${digits.slice(1)}e${String(power).replace("-", "−")}`;
    }

    // Shares of the cells of one step.
    cells(series, place) {
      const { cells, levels } = this.format;
      const start = this.shades + (series.first + place) * cells;
      const peak = this.value(series, place, "peak") || 0;
      return Array.from(this.bytes.subarray(start, start + cells), (level) => peak * (level / levels) ** 2);
    }
  }

  // ---- scales --------------------------------------------------------------------------------

  class Scale {
    constructor([low, high, bent, threshold]) {
      Object.assign(this, { low, high, bent, threshold });
      this.from = this.bend(low);
      this.length = this.bend(high) - this.from;
    }

    static common(every) {
      const [first] = every;
      const low = Math.min(...every.map((one) => one[0]));
      const high = Math.max(...every.map((one) => one[1]));
      const bent = every.some((one) => one[2]);
      const within = Math.min(...every.filter((one) => one[2] || !bent).map((one) => one[3]));
      return new Scale(every.length === 1 ? first : [low, high, bent, within]);
    }

    bend(value) {
      return this.bent ? Math.sign(value) * Math.log10(1 + Math.abs(value) / this.threshold) : value;
    }

    at(value) {
      return (this.bend(value) - this.from) / this.length;
    }

    borders(cells) {
      return Array.from({ length: cells + 1 }, (_, place) => {
        const even = this.from + (this.length * place) / cells;
        return this.bent ? Math.sign(even) * this.threshold * (10 ** Math.abs(even) - 1) : even;
      });
    }

    ticks(room) {
      const found = [];
      const apart = (at) => found.every(([other]) => Math.abs(other - at) * room > 52);
      for (const value of this.bent ? this.powers() : this.round(Math.max(2, Math.floor(room / 80)))) {
        const at = this.at(value);
        if (at >= -1e-9 && at <= 1 + 1e-9 && apart(at)) found.push([at, tick(value)]);
      }
      return found;
    }

    powers() {
      const top = Math.ceil(Math.log10(Math.max(Math.abs(this.low), Math.abs(this.high))));
      const found = [0];
      for (let power = top; power >= Math.log10(this.threshold); power--) {
        for (const factor of [5, 2, 1]) found.push(factor * 10 ** power, -factor * 10 ** power);
      }
      const whole = (value) => Math.abs(Math.log10(Math.abs(value)) % 1) < 1e-9;
      return [0, ...found.filter((one) => one && whole(one)), ...found.filter((one) => one && !whole(one))];
    }

    round(most) {
      const rough = (this.high - this.low) / most;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * (1 - 1e-9));
      const found = [];
      for (let at = Math.ceil(this.low / step - 1e-9); at * step <= this.high + step * 1e-9; at++) found.push(at * step);
      return found;
    }
  }

  function tick(value) {
    const short = Number(value.toPrecision(4));
    const text = short && (Math.abs(short) < 1e-3 || Math.abs(short) >= 1e5) ? short.toExponential() : String(short);
    return text.replace("e+", "e").replaceAll("-", "−");
  }

  function percent(share) {
    const value = 100 * share;
    if (value > 0 && value < 0.1) return "<0.1 %";
    if (value > 99.9 && value < 100) return ">99.9 %";
    return `${value.toFixed(1)} %`;
  }

  // ---- blocks: pairs, tables, texts ------------------------------------------------------------

  const link = (name) =>
    state.facts.byName.has(name)
      ? make("a", { href: `#layer=${encodeURIComponent(name)}` }, name)
      : make("span", {}, name);

  function bars(shares) {
    const top = Math.max(...shares, 0);
    const picture = draw("svg", { class: "bars", viewBox: `0 0 ${shares.length || 1} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const path = shares.map((one, at) => (one > 0 ? `M${at} 10v${-Math.max(0.7, (10 * one) / top)}h1V10z` : "")).join("");
    picture.append(draw("path", { d: path }));
    return picture;
  }

  function content(cell) {
    if (typeof cell !== "object") return cell;
    if ("layer" in cell) return link(cell.layer);
    return "bars" in cell ? bars(cell.bars) : cell.text;
  }

  const pairs = (every) =>
    make("dl", {}, every.map(([label, lines]) => [make("dt", {}, label), make("dd", {}, lines.map((line) => make("div", {}, line)))]));

  function table(block, caption = "") {
    const right = new Set(block.right);
    const side = (place) => (right.has(place) ? "right" : null);
    const head = make("tr", {}, block.columns.map((name, place) => make("th", { scope: "col", class: side(place) }, name)));
    const short = (cell) => (typeof cell === "string" && cell.length < 18 ? "short" : null);
    const rows = block.rows.map((row) => make("tr", {}, row.map((cell, place) => make("td", { class: side(place) ?? short(cell) }, content(cell)))));
    return scrolling(make("table", {}, caption ? make("caption", {}, caption) : "", make("thead", {}, head), make("tbody", {}, rows)), caption || block.columns[0]);
  }

  // Wide tables scroll in themselves, also by keyboard.
  const scrolling = (inside, name) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": name }, inside);

  function drawn(block) {
    if (block.pairs) return pairs(block.pairs);
    return block.columns ? table(block) : make("p", { class: block.tone }, block.text);
  }

  const section = (name, title, ...inside) => make("section", { id: name, "aria-label": title }, make("h2", {}, title), inside);

  const folded = (title, inside, open = false) => {
    const made = make("details", { class: "equal", open }, make("summary", {}, title));
    let there = false;
    const fillIn = () => {
      if (made.open && !there) {
        there = true;
        made.append(...[inside()].flat());
      }
    };
    made.addEventListener("toggle", fillIn);
    made.fillIn = fillIn;
    fillIn();
    return made;
  };

  function choice(name, title, options, chosen, pick) {
    return make("fieldset", { class: "choice" }, make("legend", {}, title), options.map(([value, label]) =>
      make("label", {}, make("input", { type: "radio", name, value, checked: value === chosen, onchange: () => pick(value) }), make("span", {}, label))));
  }

  // ---- the shape table -------------------------------------------------------------------------

  const CHUNK = 300;

  function shapeSection() {
    const shapes = state.facts.shapes;
    const chosen = { depth: shapes.some((one) => one.depth === "layer") ? "layer" : shapes[0].depth, column: -1, down: false, words: "", all: false };
    const place = make("div");
    const filter = make("input", { type: "search", id: "filter", placeholder: "filter rows", "aria-label": "Filter the rows of the shape table", oninput: () => { chosen.words = filter.value.toLowerCase(); chosen.all = false; show(); } });
    const told = (cell) => (typeof cell === "object" ? cell.text ?? cell.layer ?? "" : cell);
    const key = (cell) => (typeof cell === "object" && "sort" in cell ? cell.sort : told(cell));
    const empty = (cell) => key(cell) === "";

    function rowsOf(block) {
      const words = chosen.words.split(/\s+/).filter(Boolean);
      const rows = block.rows.filter((row) => {
        const text = row.map(told).join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      });
      if (chosen.column < 0) return rows;
      const order = chosen.down ? -1 : 1;
      return rows.sort((one, other) => {
        const [a, b] = [one[chosen.column], other[chosen.column]];
        if (empty(a) || empty(b)) return empty(a) - empty(b);
        const [x, y] = [key(a), key(b)];
        return order * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true }));
      });
    }

    function sortBy(column) {
      chosen.down = chosen.column === column ? !chosen.down : false;
      chosen.column = column;
      show();
      place.querySelectorAll("th button")[column].focus();
    }

    function show() {
      const block = shapes.find((one) => one.depth === chosen.depth);
      const rows = rowsOf(block);
      const kept = chosen.all ? rows : rows.slice(0, CHUNK);
      const made = table({ ...block, columns: block.columns.map(() => ""), rows: kept });
      made.querySelectorAll("thead th").forEach((cell, column) => {
        const sign = chosen.column !== column ? "" : chosen.down ? " ▼" : " ▲";
        cell.append(make("button", { type: "button", onclick: () => sortBy(column) }, block.columns[column] + sign));
        if (sign) cell.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
      });
      if (!chosen.words) {
        made.querySelector("table").append(make("tfoot", {}, make("tr", {}, block.totals.map((cell, column) => make("td", { class: block.right.includes(column) ? "right" : null }, content(cell))))));
      }
      const more = rows.length > kept.length
        ? make("button", { type: "button", onclick: () => { chosen.all = true; show(); } }, `show the other ${rows.length - kept.length} rows`) : "";
      const count = make("p", { class: "dim", role: "status" }, `${rows.length} of ${block.rows.length} rows`);
      place.replaceChildren(...[made, more, count].filter(Boolean));
    }

    show();
    const depths = choice("depth", "depth", shapes.map((one) => [one.depth, one.depth]), chosen.depth, (depth) => { Object.assign(chosen, { depth, column: -1, all: false }); show(); });
    place.className = "shapes";
    return section("shapes", "Shapes", make("div", { class: "tools" }, depths, filter), place);
  }

  // ---- scalars -----------------------------------------------------------------------------------

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

  // ---- pictures of distributions -------------------------------------------------------------------

  const PLOT = 240;

  // Places, widths and shares of the cells of one step on a scale that others may share.
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
    const columns = [["zeros", zeros, "zero"], ["not finite", bad, "bad-fill"]].filter(([, shares]) => shares.some((one) => one > 0));
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
    const density = all.map((cells) => cells.map((one) => one.share / one.wide));
    const peaks = density.map((row) => Math.max(...row)).filter((one) => one > 0).sort((a, b) => a - b);
    const full = peaks.length ? Math.min(peaks.at(-1), 2 * peaks[Math.floor(peaks.length / 2)]) : 1;
    const paths = {};
    all.forEach((cells, place) => cells.forEach((one, cell) => {
      if (!(one.share > 0)) return;
      const level = Math.min(9, Math.max(1, Math.ceil((9 * density[place][cell]) / full - 1e-9)));
      const top = (base(place) - plot.spacing).toFixed(2);
      paths[level] = `${paths[level] ?? ""}M${(plot.left + one.from).toFixed(2)} ${top}h${one.wide.toFixed(2)}v${plot.spacing.toFixed(2)}h${(-one.wide).toFixed(2)}z`;
    }));
    picture.append(draw("rect", { class: "l0", x: plot.left, y: plot.head, width: plot.room, height: (plot.rows * plot.spacing).toFixed(2) }));
    for (const [level, path] of Object.entries(paths)) picture.append(draw("path", { class: `l${level}`, d: path, "shape-rendering": "crispEdges" }));
  }

  function ridges(picture, plot, all, base) {
    all.forEach((cells, place) => {
      const density = cells.map((one) => one.share / one.wide);
      const top = Math.max(...density);
      const foot = base(place);
      if (!(top > 0)) return;
      const high = plot.rise + plot.spacing;
      const line = cells.map((one, cell) => `L${(plot.left + one.from + one.wide / 2).toFixed(1)} ${(foot - (high * density[cell]) / top).toFixed(1)}`).join("");
      const end = cells.at(-1);
      const level = 3 + Math.round((4 * place) / Math.max(1, all.length - 1));
      picture.append(draw("path", { class: `ridge l${level}`, d: `M${(plot.left + cells[0].from).toFixed(1)} ${foot.toFixed(1)}${line}L${(plot.left + end.from + end.wide).toFixed(1)} ${foot.toFixed(1)}z` }));
    });
  }

  function histogram(series, place, scale, width) {
    const [left, height] = [34, 132]; // as wide as the picture above it
    const { room } = frame(series, scale, width, "heat");
    const cells = spread(series, place, scale, room);
    const top = Math.max(...cells.map((one) => one.share / one.wide), 0);
    const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Histogram of ${titleOf(series)} at step ${series.steps[place]}` });
    const path = cells.map((one) => {
      const high = one.share > 0 ? Math.max(1, ((height - 34) * one.share) / one.wide / top) : 0;
      return high ? `M${(left + one.from).toFixed(1)} ${height - 24}v${(-high).toFixed(1)}h${one.wide.toFixed(1)}v${high.toFixed(1)}z` : "";
    }).join("");
    picture.append(draw("path", { class: "histogram", d: path }));
    axis(picture, { left, room, scale }, height - 24);
    return picture;
  }

  const nearest = (series, step) => series.steps.reduce((best, one, place) => (Math.abs(one - step) < Math.abs(series.steps[best] - step) ? place : best), 0);

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
    const columns = ["step", ...titles, "numbers", "zeros", "NaN", "+Inf", "−Inf", ...(ratio ? ["‖Δw‖/‖w‖"] : [])];
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
    return table({ columns: ["from", "to", "share"], right: [0, 1, 2], rows }, `${titleOf(series)} at step ${series.steps[place]}; shares are within 2 % of the largest`);
  }

  // ---- the panel of a layer ------------------------------------------------------------------------

  function viewsOf(layer) {
    const every = state.facts.series;
    const own = every.filter((one) => one.layer === layer.name);
    const short = ({ tensor }) => {
      const at = tensor.indexOf(`${layer.name}/`);
      return at < 0 ? tensor : tensor.slice(at + layer.name.length + 1);
    };
    const named = (one) => (one.kind === "weight" ? short(one) : one.output ? one.kind : one.kind === "gradient" ? `gradient of ${short(one)}` : short(one));
    const views = own.map((one) => ({ label: named(one), series: [one] }));
    const other = layer.normalized;
    const both = [];
    for (const kind of ["activation", "gradient"]) {
      const mine = own.find((one) => one.output && one.kind === kind);
      const theirs = every.find((one) => one.layer === other && one.output && one.kind === kind);
      if (mine && theirs) {
        const pair = layer.type.startsWith("FusedBatchNorm") ? [theirs, mine] : [mine, theirs];
        both.push({ label: `${kind}, before and after normalization`, series: pair, pair: true });
      }
    }
    views.splice(2, 0, ...both);
    return views;
  }

  function distributions(layer) {
    const place = make("div");
    if (!state.facts.series.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "Nothing was recorded of what tensors held."));
    const views = viewsOf(layer);
    if (!views.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "Nothing of this layer was recorded; --taps decides."));
    if (state.view >= views.length) state.view = 0;
    const steps = [...new Set(views.flatMap((view) => view.series.flatMap((one) => one.steps)))].sort((a, b) => a - b);
    const output = make("output", { for: "step" });
    const slider = make("input", { type: "range", id: "step", min: 0, max: steps.length - 1, step: 1, "aria-label": "Step", oninput: () => setStep(steps[Number(slider.value)]) });
    let pictures = [];
    const detail = make("div", { class: "pictures" });

    function atStep() {
      const at = nearest({ steps }, state.step);
      slider.value = at;
      slider.setAttribute("aria-valuetext", `step ${steps[at]}`);
      output.textContent = `step ${steps[at]} of ${steps.at(-1)}`;
      for (const picture of pictures) picture.at(state.step);
      const { series, scale, width } = shownNow();
      const open = detail.querySelector("details")?.open ?? false;
      detail.replaceChildren(...series.map((one) => {
        const where = nearest(one, state.step);
        const numbers = state.numbers;
        const text = (name) => numbers.text(one, where, name);
        const zeros = percent(numbers.whole(one, where, "zeros") / Math.max(1, numbers.whole(one, where, "count")));
        const outside = [["below", "‹"], ["above", "›"]].filter(([side]) => numbers.value(one, where, side) > 0).map(([side, sign]) => `, ${percent(numbers.value(one, where, side))} outside ${sign}`).join("");
        const bad = notFinite(one, where);
        return make("figure", {},
          make("figcaption", {}, make("b", {}, series.length > 1 ? titleOf(one) : `At step ${one.steps[where]}`), ` mean ${text("mean")}, std ${text("std")}, ${text("min")} … ${text("max")}, zeros ${zeros}${outside}`,
            bad ? make("span", { class: "bad" }, ` ${bad.toLocaleString("en")} not finite`) : ""),
          histogram(one, where, scale, width), folded("The same as a table", () => cellTable(one, where), open));
      }));
    }

    function shownNow() {
      const view = views[state.view];
      const kinds = new Set(view.series.map((one) => one.kind));
      const scale = Scale.common(kinds.size === 1 ? view.series.map((one) => one.scale) : [view.series[0].scale]);
      const room = Math.max(260, (place.clientWidth || 520) - 2);
      const width = view.pair && room > 640 ? (room - 16) / 2 : room;
      return { series: view.series, scale, width, view };
    }

    function show() {
      const { series, scale, width, view } = shownNow();
      const width0 = Math.floor(width);
      pictures = series.map((one) => overSteps(one, scale, width0, state.style));
      const figures = pictures.map((picture, at) => {
        const one = series[at];
        const side = view.pair ? ["before: ", "after: "][at] : "";
        const most = Math.max(...one.steps.map((_, where) => state.numbers.whole(one, where, "count")));
        const sample = one.elements === null || most === one.elements ? `all ${most.toLocaleString("en")} elements` : `${most.toLocaleString("en")} of ${one.elements.toLocaleString("en")} elements, spread evenly over the batch`;
        return make("figure", {}, make("figcaption", {}, make("b", {}, side + titleOf(one)), ` ${sample}`), picture);
      });
      const bent = scale.bent ? ` The axis is logarithmic to both sides of zero, about linear from −${tick(scale.threshold)} to ${tick(scale.threshold)}.` : "";
      const rule = state.style === "heat" ? "A shade is the share of a step's numbers in a cell; zeros are beside it." : "Each ridge is scaled to its own highest point; zeros are beside it.";
      place.replaceChildren(
        make("div", { class: "pictures" }, figures),
        make("p", { class: "dim" }, rule + bent),
        make("div", { class: "slider" }, make("label", { for: "step" }, "step"), slider, output),
        detail,
        ...series.flatMap((one) => [folded(`${series.length > 1 ? `${titleOf(one)}: the` : "The"} numbers of all ${one.steps.length} steps as a table`, () => stepTable(one)),
          ...(one.remarks.length ? [make("ul", { class: "remarks" }, one.remarks.map((line) => make("li", {}, line)))] : [])]),
        make("p", { class: "dim" }, "Quantiles are read from bins, within 6.25 %; numbers have four digits."));
      atStep();
    }

    state.onStep = atStep;
    state.onResize = show;
    const tools = make("div", { class: "tools" },
      choice("view", "what", views.map((view, at) => [String(at), view.label]), String(state.view), (at) => { state.view = Number(at); show(); }),
      choice("style", "picture", [["heat", "heat map"], ["ridges", "ridges"]], state.style, (kind) => { state.style = kind; show(); }));
    const made = section("panel-distributions", "Distributions over the steps", tools, place);
    state.onShown = show;
    return made;
  }

  function setStep(step) {
    state.step = step;
    state.onStep?.();
  }

  function way(axis) {
    const steps = [];
    for (let at = axis.way; at >= 0; at = state.facts.ways[at][5]) steps.push(state.facts.ways[at]);
    if (steps.length < 2) return [];
    const row = ([size, place, how, layer]) => make("tr", {}, make("td", { class: "right" }, size), make("td", {}, place), make("td", {}, how), make("td", {}, layer ? link(layer) : ""));
    const head = () => make("thead", {}, make("tr", {}, ["size", "place", "how", "layer"].map((name, at) => make("th", { scope: "col", class: at ? null : "right" }, name))));
    const title = axis.inflow ? "What flows in" : "The way back";
    const groups = [];
    steps.forEach((step, at) => {
      const alone = at === 0 || at === steps.length - 1 || step[4];
      if (alone || !groups.length || groups.at(-1).alone) groups.push({ alone, steps: [step] });
      else groups.at(-1).steps.push(step);
    });
    const rows = groups.map(({ steps: run }) => {
      if (run.length < 2) return row(run[0]);
      const names = [...new Set(run.map((step) => step[3]).filter(Boolean))];
      const told = names.length > 4 ? [...names.slice(0, 2), `… ${names.length - 4} more …`, ...names.slice(-2)] : names;
      return make("tr", {}, make("td", { class: "right" }, run[0][0]), make("td", {}, "…"), make("td", { colspan: "2" }, `carried unchanged through ${run.length} ops: ${told.join(", ")}`));
    });
    const made = [make("h4", {}, title), scrolling(make("table", { class: "way" }, head(), make("tbody", {}, rows)), title)];
    if (rows.length < steps.length) made.push(folded(`All ${steps.length} steps`, () => scrolling(make("table", { class: "way" }, head(), make("tbody", {}, steps.map(row))), title)));
    return made;
  }

  function axisOf(axis) {
    const title = make("span", {}, make("b", {}, `axis ${axis.axis}`), ` ${axis.meaning} `, make("b", {}, axis.size), axis.formula && axis.formula !== axis.size ? ` = ${axis.formula}` : "");
    return folded(title, () => {
      const proof = state.facts.proofs[axis.proof];
      return [pairs(axis.facts), ...way(axis),
        ...(proof.length ? [make("h4", {}, "Which settings move it (traced again, one changed)"), table({ columns: ["setting", "changed", "size", "moves it", "note"], right: [], rows: proof })] : [])];
    });
  }

  function names(title, every) {
    if (!every.length) return "";
    return make("p", {}, make("span", { class: "dim" }, `${title} `), every.flatMap((name, at) => [at ? ", " : "", link(name)]));
  }

  function showLayer(name, focus) {
    const panel = byId("panel");
    const layer = state.facts.byName.get(name);
    document.querySelectorAll("#picture .current").forEach((node) => node.classList.remove("current"));
    state.layer = layer ?? null;
    state.onStep = state.onResize = state.onShown = null;
    document.body.classList.toggle("with-panel", name !== null);
    panel.hidden = name === null;
    state.fit?.();
    if (name === null) return panel.replaceChildren();
    const close = make("button", { type: "button", class: "close", onclick: closePanel }, "close (Esc)");
    if (!layer) return panel.replaceChildren(make("div", { class: "top" }, make("h2", { tabindex: "-1" }, `There is no layer ${name}`), close));
    const all = state.facts.layers;
    const at = all.indexOf(layer);
    const step = (to, text) => (all[to] ? make("a", { href: `#layer=${encodeURIComponent(all[to].name)}`, class: "step-link" }, text) : make("span", { class: "dim" }, text));
    const heading = make("h2", { tabindex: "-1" }, layer.name);
    panel.replaceChildren(
      make("div", { class: "top" }, heading, make("div", { class: "moves" }, step(at - 1, "‹ previous"), step(at + 1, "next ›"), close)),
      make("p", { class: "dim" }, [...layer.path, layer.type].join(" › ")),
      pairs(layer.facts), names("takes from", layer.before), names("hands to", layer.after),
      distributions(layer),
      section("panel-axes", "Why each axis has its size", layer.axes.length ? layer.axes.map(axisOf) : make("p", { class: "dim" }, "A scalar has no axes.")));
    state.onShown?.();
    panel.scrollTop = 0;
    const node = state.nodes.get(name);
    if (node) {
      node.classList.add("current");
      const [box, view] = [node.getBoundingClientRect(), byId("picture").getBoundingClientRect()];
      byId("picture").scrollBy(box.left - view.left - view.width / 2, box.top - view.top - view.height / 2);
    }
    const item = items().find((one) => one.dataset.layer === name);
    if (item) { reveal(item); settle(item); }
    if (focus) {
      heading.focus({ preventScroll: true });
      if (getComputedStyle(panel).position !== "sticky") panel.scrollIntoView();
    }
    return undefined;
  }

  function closePanel() {
    const item = state.layer && items().find((one) => one.dataset.layer === state.layer.name);
    history.pushState(null, "", location.href.split("#")[0]);
    follow(false);
    if (item) { reveal(item); settle(item); item.focus(); }
  }

  function follow(focus = true) {
    const found = /^#layer=(.*)$/s.exec(location.hash);
    let name = null;
    if (found) {
      try { name = decodeURIComponent(found[1]); } catch { name = found[1]; }
    }
    if (name !== null || !byId("panel").hidden) showLayer(name, focus);
  }

  // ---- the list of layers ----------------------------------------------------------------------------

  const items = () => [...byId("tree").querySelectorAll("[role=treeitem]")];
  const visible = () => items().filter((item) => item.getClientRects().length);

  function tree() {
    const root = byId("tree");
    const open = state.facts.layers.length <= 60;
    const groups = [];
    for (const layer of state.facts.layers) {
      let shared = 0;
      while (shared < groups.length && groups[shared].name === layer.path[shared]) shared++;
      groups.length = Math.min(shared, layer.path.length);
      for (let depth = groups.length; depth < layer.path.length; depth++) {
        const list = make("ul", { role: "group" });
        const item = make("li", { role: "treeitem", tabindex: "-1", "aria-expanded": String(open || depth === 0), "aria-label": layer.path[depth] }, make("div", { class: "row" }, make("span", { class: "name" }, layer.path[depth])), list);
        (groups.at(-1)?.list ?? root).append(item);
        groups.push({ name: layer.path[depth], list });
      }
      const item = make("li", { role: "treeitem", tabindex: "-1", "aria-label": `${layer.name}, ${layer.type}` },
        make("div", { class: "row leaf" }, make("span", { class: "name" }, layer.name), make("span", { class: "dim" }, layer.shape)));
      item.dataset.layer = layer.name;
      item.words = `${layer.path.join(" ")} ${layer.name} ${layer.type}`.toLowerCase();
      (groups.at(-1)?.list ?? root).append(item);
    }
    const first = items()[0];
    if (first) first.tabIndex = 0;
    root.addEventListener("click", (event) => {
      const item = event.target.closest("[role=treeitem]");
      if (!item) return;
      settle(item);
      if (item.dataset.layer !== undefined) open_(item.dataset.layer);
      else toggle(item);
    });
    root.addEventListener("keydown", treeKey);
  }

  const open_ = (name) => {
    const hash = `#layer=${encodeURIComponent(name)}`;
    if (location.hash === hash) follow();
    else location.hash = hash;
  };
  const expanded = (item) => item.getAttribute("aria-expanded");
  const toggle = (item, to = expanded(item) !== "true") => item.setAttribute("aria-expanded", String(to));

  function settle(item) {
    for (const one of items()) {
      one.tabIndex = one === item ? 0 : -1;
      one.setAttribute("aria-selected", String(one === item));
    }
  }

  function reveal(item) {
    for (let up = item.parentElement.closest("[role=treeitem]"); up; up = up.parentElement.closest("[role=treeitem]")) toggle(up, true);
    const side = byId("side");
    if (side.scrollHeight > side.clientHeight) {
      const [box, room] = [item.getBoundingClientRect(), side.getBoundingClientRect()];
      if (box.top < room.top + 70 || box.bottom > room.bottom) side.scrollTop += box.top - room.top - room.height / 2;
    }
  }

  function treeKey(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
    const every = visible();
    const at = every.indexOf(item);
    const parent = item.parentElement.closest("[role=treeitem]");
    const to = {
      ArrowDown: () => every[at + 1], ArrowUp: () => every[at - 1], Home: () => every[0], End: () => every.at(-1),
      ArrowRight: () => (expanded(item) === "false" ? toggle(item, true) : expanded(item) ? every[at + 1] : null),
      ArrowLeft: () => (expanded(item) === "true" ? toggle(item, false) : parent),
      Enter: () => (item.dataset.layer !== undefined ? open_(item.dataset.layer) : toggle(item)),
      " ": () => (item.dataset.layer !== undefined ? open_(item.dataset.layer) : toggle(item)),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    const next = to();
    if (next instanceof Element) { settle(next); next.focus(); }
  }

  function search() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let hits = 0;
    for (const item of items()) {
      if (item.dataset.layer === undefined) continue;
      item.hidden = !words.every((word) => item.words.includes(word));
      if (!item.hidden) hits++;
    }
    for (const item of items().reverse()) {
      if (item.dataset.layer !== undefined) continue;
      item.hidden = ![...item.querySelectorAll("[data-layer]")].some((one) => !one.hidden);
      if (words.length && !item.hidden) toggle(item, true);
    }
    byId("hits").textContent = words.length ? `${hits} of ${state.facts.layers.length} layers` : "";
  }

  function searchKey(event) {
    const first = visible().find((item) => item.dataset.layer !== undefined);
    if (event.key === "Enter" && first) open_(first.dataset.layer);
    else if (event.key === "ArrowDown" && first) { settle(first); first.focus(); event.preventDefault(); }
    else if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      event.target.value = "";
      search();
      event.target.blur();
    }
  }

  function pageKey(event) {
    const typing = event.target.closest?.("input:not([type=radio]):not([type=range]), textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      byId("contents").open = true;
      byId("search").focus();
      byId("search").select();
    } else if (event.key === "Escape" && !byId("panel").hidden && !typing) closePanel();
  }

  // ---- theme, diagram, start ---------------------------------------------------------------------------

  function theme() {
    const button = byId("theme");
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
    const show = () => { button.textContent = now() === "dark" ? "light colours" : "dark colours"; };
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.theme = now() === "dark" ? "light" : "dark"; show(); });
    dark.addEventListener("change", show);
    show();
  }

  function diagram() {
    const picture = byId("picture");
    const svg = picture.querySelector("svg");
    if (!svg) {
      picture.replaceChildren(make("p", { class: "dim" }, "No picture: Graphviz was not there, or gave up. The list of layers holds the same."));
      return;
    }
    // The picture spells names as they are shown.
    const byShown = new Map(state.facts.layers.map((layer) => [shown(layer.name), layer.name]));
    for (const node of picture.querySelectorAll("[data-layer]")) {
      const every = node.dataset.layers ? JSON.parse(node.dataset.layers) : [byShown.get(node.dataset.layer)];
      for (const name of every) state.nodes.set(name, node);
    }
    picture.addEventListener("click", (event) => {
      const node = event.target.closest("[data-layer]");
      const name = node && byShown.get(node.dataset.layer);
      if (name !== undefined && name !== null) {
        event.preventDefault();
        open_(name);
      }
    });
    const natural = svg.viewBox.baseVal.width || svg.clientWidth;
    const size = { zoom: 0 };
    state.fit = () => { if (!size.zoom && picture.clientWidth) zoom(0); };
    const zoom = (to) => {
      size.zoom = to;
      svg.setAttribute("width", String(Math.round(to ? natural * to : Math.min(natural, picture.clientWidth - 2))));
      svg.removeAttribute("height");
    };
    const now = () => size.zoom || svg.clientWidth / natural;
    const button = (text, name, act) => make("button", { type: "button", "aria-label": name, onclick: act }, text);
    picture.before(make("div", { class: "tools" }, button("+", "larger", () => zoom(now() * 1.25)), button("−", "smaller", () => zoom(now() / 1.25)), button("fit", "fit the width", () => zoom(0)), button("1:1", "natural size", () => zoom(1)),
      make("span", { class: "dim" }, "click a layer for its panel; the list of layers holds the same")));
    zoom(0);
  }

  async function start() {
    if (typeof DecompressionStream === "undefined") return;
    const facts = JSON.parse(new TextDecoder().decode(await unpack("facts")));
    facts.byName = new Map(facts.layers.map((layer) => [layer.name, layer]));
    Object.assign(state, { facts, redraws: [], step: facts.recorded.at(-1) ?? 0 });
    state.numbers = new Numbers(await unpack("numbers"), facts.series, facts.format);
    byId("fallback").remove();
    byId("page").hidden = false;
    const main = byId("main");
    const picture = byId("diagram");
    const parts = facts.sections.map((one) => section(one.name, one.title, one.blocks.map(drawn)));
    const scalars = facts.scalars.length ? [scalarSection()] : [];
    const closing = facts.closing.map((one) => section(one.name, one.title, one.blocks.map(drawn)));
    main.append(...parts, ...scalars);
    const flow = parts.findIndex((one) => one.id === "flow");
    if (flow > 0) parts[flow].before(picture);
    main.append(shapeSection(), ...closing);
    diagram();
    for (const redraw of state.redraws) redraw();
    tree();
    byId("sections").append(...[...main.querySelectorAll(":scope > section")].filter((one) => !/^origin-[1-9]/.test(one.id)).map((one) => make("li", {}, make("a", { href: `#${one.id}`, title: one.querySelector("h2").textContent }, one.id[0].toUpperCase() + one.id.slice(1).replace(/-0$/, "").replaceAll("-", " ")))));
    byId("search").addEventListener("input", search);
    byId("search").addEventListener("keydown", searchKey);
    document.addEventListener("keydown", pageKey);
    window.addEventListener("hashchange", () => follow());
    window.addEventListener("popstate", () => follow(false));
    let waiting = 0;
    window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { state.fit?.(); state.onResize?.(); }, 120); });
    window.addEventListener("beforeprint", () => document.querySelectorAll("#panel details, #scalars details").forEach((one) => { one.open = true; one.fillIn?.(); }));
    if (matchMedia("(max-width: 760px)").matches) byId("contents").open = false;
    theme();
    follow();
    if (/^#[a-z0-9-]+$/.test(location.hash)) byId(location.hash.slice(1))?.scrollIntoView();
    document.documentElement.dataset.ready = "";
    performance.mark("ready");
  }

  start();
})();
