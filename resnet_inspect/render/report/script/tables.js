// Tables with rows that can be sorted and filtered, and a choice between several blocks.

const CHUNK = 300;

// A text as shown, and as it can be typed: 128x32 for 128×32, 9248 for 9,248.
const typed = (text) => text.replaceAll("×", "x").replaceAll("→", "->").replace(/(\d),(?=\d{3}(?!\d))/g, "$1");
const spellings = (text) => { const low = text.toLowerCase(); return `${low} ${typed(low)}`; };

// `by` is the field that identifies a block, `first` its value for the block that is shown first.
// `name` describes the table in the filter's label.
function sortable(blocks, { by, first, name, id }) {
  const chosen = { block: first, column: -1, down: false, words: "", all: false };
  const place = make("div", { class: "sorted" });
  const filter = make("input", { type: "search", id, placeholder: "filter rows", "aria-label": `Filter the rows of the ${name}`, oninput: () => { chosen.words = filter.value.toLowerCase(); chosen.all = false; show(); } });
  const textOf = (cell) => (typeof cell === "object" ? cell.text ?? cell.layer ?? (cell.line ? "" : undefined) ?? state.facts.ops[cell.op]?.[0] ?? "" : cell);
  const key = (cell) => (typeof cell === "object" && "sort" in cell ? cell.sort : typeof cell === "object" && cell.line ? Math.max(...cell.line.map((number) => number ?? 0)) : textOf(cell));
  const empty = (cell) => key(cell) === "";

  function rowsOf(block) {
    const words = chosen.words.split(/\s+/).filter(Boolean);
    const rows = block.rows.filter((row) => {
      const text = spellings(row.map(textOf).join(" "));
      return words.every((word) => text.includes(word) || text.includes(typed(word)));
    });
    if (chosen.column < 0) return rows;
    const order = chosen.down ? -1 : 1;
    return rows.sort((rowA, rowB) => {
      const [a, b] = [rowA[chosen.column], rowB[chosen.column]];
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
    const block = blocks.find((candidate) => candidate[by] === chosen.block);
    const rows = rowsOf(block);
    const kept = chosen.all ? rows : rows.slice(0, CHUNK);
    const made = table({ ...block, columns: block.columns.map(() => ""), rows: kept });
    made.querySelectorAll("thead th").forEach((cell, column) => {
      const sign = chosen.column !== column ? "" : chosen.down ? " ▼" : " ▲";
      cell.append(make("button", { type: "button", onclick: () => sortBy(column) }, block.columns[column] + sign));
      if (sign) cell.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
    });
    if (!chosen.words && block.totals) {
      made.querySelector("table").append(make("tfoot", {}, make("tr", {}, block.totals.map((cell, column) => make("td", { class: block.right.includes(column) ? "right" : null }, content(cell))))));
    }
    const more = rows.length > kept.length
      ? make("button", { type: "button", onclick: () => { chosen.all = true; show(); } }, `show the other ${rows.length - kept.length} rows`) : "";
    const count = make("p", { class: "dim", role: "status" }, `${rows.length} of ${block.rows.length} rows`);
    place.replaceChildren(...[made, more, count].filter(Boolean));
  }

  show();
  const choices = blocks.length < 2 ? "" : choice(by, by, blocks.map((block) => [block[by], block[by]]), chosen.block, (block) => { Object.assign(chosen, { block, column: -1, all: false }); show(); });
  return [make("div", { class: "tools" }, choices, filter), place];
}
