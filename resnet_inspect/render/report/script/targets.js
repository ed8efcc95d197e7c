// The target of an address (a panel or a section), and the return to the place that opened it.

const PLACES = "main, main > section";
const unescaped = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const unanchored = (text) => text.replace(/~([0-9a-f]{1,6})~/g, (all, code) => (parseInt(code, 16) <= 0x10ffff ? String.fromCodePoint(parseInt(code, 16)) : all));

// The section that an address names, or null.
function placeOf(hash) {
  const element = byId(unescaped(hash.slice(1)));
  return element?.matches(PLACES) ? element : null;
}

// #layer=NAME, #op=NAME, #variable=NAME, #box=NAME, the id of a box in the diagram, or a bare #NAME.
function targetOf(hash) {
  const match = /^#(layer|op|variable|box)=(.*)$/s.exec(hash);
  if (match) return { kind: match[1], name: unescaped(match[2]) };
  const name = unescaped(hash.slice(1));
  if (!name || placeOf(hash)) return null;
  if (state.facts.byName.has(name)) return { kind: "layer", name };
  if (state.facts.opAt.has(name)) return { kind: "op", name };
  if (state.facts.variableAt.has(name)) return { kind: "variable", name };
  const anchor = /^#(layer|op|variable)-(.+)$/s.exec(hash);
  if (anchor) return { kind: anchor[1], name: unanchored(anchor[2]) };
  return byId(name)?.closest("#picture") ? null : { kind: "name", name };
}

function follow(focus = true) {
  const target = targetOf(location.hash);
  if (target !== null) {
    remember(target);
    showPanel(target, focus);
  } else if (!byId("panel").hidden) {
    const back = leaving();
    showPanel(null);
    const place = placeOf(location.hash);
    if (place) place.scrollIntoView();
    else back();
  }
}

// Stores where a panel was opened from. Going from panel to panel does not change it, nor does the
// second event of one address change.
function remember({ kind, name }) {
  const panel = byId("panel");
  const element = document.activeElement;
  if (!panel.hidden) {
    const same = state.target?.kind === kind && state.target.name === name;
    if (same || element === document.body || panel.contains(element) || !element.getClientRects().length) return;
  }
  const picture = byId("picture");
  state.from = { element: element === document.body ? null : element, top: scrollY, offset: element.getBoundingClientRect().top, picture: [picture.scrollLeft, picture.scrollTop] };
}

// Call this while the panel is open. The returned function restores the place after it is closed.
function leaving() {
  const { target, from } = state;
  const main = byId("main");
  const covered = !main.getClientRects().length;
  const element = from?.element?.isConnected ? from.element : null;
  const box = element?.getBoundingClientRect();
  const near = !covered && main.contains(element) && box.bottom > 0 && box.top < innerHeight;
  state.from = null;
  return () => {
    const item = itemOf(target);
    if (item) { reveal(item); settle(item); }
    const nodes = state.nodes.get(`${target.kind} ${target.name}`) ?? [];
    const node = nodes.find((box) => box.getClientRects().length);
    for (const candidate of [element, node?.querySelector("a"), item, main]) {
      candidate?.focus({ preventScroll: true });
      if (candidate && document.activeElement === candidate) break;
    }
    if (!from) return;
    if (covered || byId("picture").contains(element)) byId("picture").scrollTo(...from.picture);
    if (covered) scrollTo(scrollX, from.top);
    else if (near) scrollBy(0, element.getBoundingClientRect().top - from.offset);
  };
}

// The edit distance of two names.
function distance(a, b) {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let at = 1; at <= b.length; at++) {
      line.push(Math.min(above[at] + 1, line[at - 1] + 1, above[at - 1] + (a[row - 1] !== b[at - 1])));
    }
    above = line;
  }
  return above[b.length];
}

// Links to the names most similar to a missing name, best first.
function namesLike(kind, wanted) {
  const { layers, ops, variables } = state.facts;
  const lists = { layer: layers.map(({ name }) => name), op: ops.map(([name]) => name), variable: variables.map(([name]) => name) };
  const kinds = kind === "name" ? ["layer", "variable", "op"] : [lists[kind]?.length ? kind : layers.length ? "layer" : "op"];
  const short = (text) => text.toLowerCase().slice(0, 80);
  const word = short(wanted);
  const rated = kinds.flatMap((kind) => lists[kind].map((name) => {
    const text = short(name);
    const inside = word && (text.includes(word) || word.includes(text));
    return { kind, name, rate: inside ? Math.abs(text.length - word.length) / 100 : distance(word, text) };
  }));
  const seen = new Set();
  const best = rated.sort((a, b) => a.rate - b.rate).filter(({ name }) => !seen.has(name) && seen.add(name)).slice(0, 5);
  return best.map((target, at) => [at ? ", " : "", linkTo(target.kind, target.name)]);
}
