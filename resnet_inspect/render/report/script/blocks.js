// Blocks of pairs, tables and texts, as render/report/sections.py describes them.

const linkTo = (kind, name, text = name) => make("a", { href: `#${kind}=${encodeURIComponent(name)}` }, text);
const link = (name) => (state.facts.byName.has(name) ? linkTo("layer", name) : state.facts.opAt.has(name) ? linkTo("op", name) : state.facts.variableAt.has(name) ? linkTo("variable", name) : make("span", {}, name));

function bars(shares) {
  const top = Math.max(...shares, 0);
  const picture = draw("svg", { class: "bars", viewBox: `0 0 ${shares.length || 1} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const path = shares.map((share, at) => (share > 0 ? `M${at} 10v${-Math.max(0.7, (10 * share) / top)}h1V10z` : "")).join("");
  picture.append(draw("path", { d: path }));
  return picture;
}

// A small curve from 0 to its largest number, with a gap for each number that is not finite.
function spark(values) {
  const top = Math.max(...values.map((value) => value ?? 0), 0) || 1;
  const last = Math.max(1, values.length - 1);
  let pen = "M";
  const path = values.map((value, at) => {
    if (value === null) { pen = "M"; return ""; }
    const point = `${pen}${((100 * at) / last).toFixed(1)} ${(11 - (10 * value) / top).toFixed(2)}`;
    pen = "L";
    return values.length > 1 ? point : `${point}h100`;
  }).join("");
  return draw("svg", { class: "bars spark", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("path", { class: "line", d: path, "vector-effect": "non-scaling-stroke" }));
}

function content(cell) {
  if (typeof cell !== "object") return cell;
  if ("layer" in cell) return cell.layer && "text" in cell ? linkTo("layer", cell.layer, cell.text) : cell.layer ? link(cell.layer) : cell.text;
  if ("op" in cell) return linkTo("op", state.facts.ops[cell.op][0]);
  if ("line" in cell) return spark(cell.line);
  return "bars" in cell ? bars(cell.bars) : cell.text;
}

const pairs = (every) =>
  make("dl", {}, every.map(([label, lines, style]) => [make("dt", {}, label), make("dd", { class: style }, lines.map((line) => make("div", {}, line)))]));

function table(block, caption = "") {
  const right = new Set(block.right);
  const side = (place) => (right.has(place) ? "right" : null);
  const head = make("tr", {}, block.columns.map((name, place) => make("th", { scope: "col", class: side(place) }, name)));
  const short = (cell) => (typeof cell === "string" && cell.length < 18 ? "short" : null);
  const rows = block.rows.map((row) => make("tr", {}, row.map((cell, place) => make("td", { class: side(place) ?? short(cell) }, content(cell)))));
  return scrolling(make("table", {}, caption ? make("caption", {}, caption) : "", make("thead", {}, head), make("tbody", {}, rows)), caption || block.columns[0]);
}

// Wide tables scroll in a region of their own, also by keyboard.
const scrolling = (inside, name) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": name }, inside);

// A finding names a layer, op, variable, or a tensor of an op, with a link to its panel.
function finding({ finding: severity, mark, rule, where: [name, op], step, message, pairs: lines }) {
  const place = state.facts.byName.has(name) || state.facts.opAt.has(name) || !state.facts.opAt.has(op) ? link(name) : linkTo("op", op, name);
  const head = make("h3", {}, make("span", { class: "level" }, `${mark} ${severity}`), ` ${rule} `, name ? place : "", step === null ? "" : ` step ${step}`);
  return make("div", { class: `finding ${severity}` }, head, make("p", {}, message), pairs(lines));
}

function drawn(block) {
  if (block.finding) return finding(block);
  if (block.heading) return make("h3", {}, block.heading);
  if (block.fold) return folded(block.fold, () => block.blocks.map(drawn));
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
