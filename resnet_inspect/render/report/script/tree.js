// The list of layers (of ops if a model has no layers), its search, and the keys of the page.

const items = () => [...byId("tree").querySelectorAll("[role=treeitem]")];
const visible = () => items().filter((item) => item.getClientRects().length);

const itemOf = ({ kind, name }) => items().find(({ target }) => target?.kind === kind && target.name === name);

// The entries of the list. An op is in the groups of its scope.
function listed() {
  const { layers, shapes } = state.facts;
  if (layers.length || !shapes) return layers.map(({ name, label = name, path, type, shape, mark }) => ({ kind: "layer", name, label, path, type, shape, mark }));
  const block = state.facts.shapes.find(({ depth }) => depth === "op");
  return state.facts.ops.map(([name, , , , [first]], at) => {
    const path = name.split("/");
    const label = path.pop();
    return { kind: "op", name, label, path, type: block.rows[at][1], shape: state.facts.specs[first]?.split(" ")[0] ?? "" };
  });
}

function tree() {
  const root = byId("tree");
  const every = listed();
  state.listed = { count: every.length, word: state.facts.word ?? (state.facts.layers.length ? "layers" : "ops") };
  const word = state.listed.word;
  byId("tree-title").textContent = word[0].toUpperCase() + word.slice(1);
  byId("contents").firstElementChild.textContent = `${byId("tree-title").textContent} and sections`;
  root.setAttribute("aria-label", byId("tree-title").textContent);
  byId("search").placeholder = `search ${word}   /`;
  byId("search").previousElementSibling.textContent = `Search ${word}`;
  const open = every.length <= 60;
  const groups = [];
  for (const layer of every) {
    let shared = 0;
    while (shared < groups.length && groups[shared].name === layer.path[shared]) shared++;
    groups.length = Math.min(shared, layer.path.length);
    for (let depth = groups.length; depth < layer.path.length; depth++) {
      const list = make("ul", { role: "group" });
      const item = make("li", { role: "treeitem", tabindex: "-1", "aria-expanded": String(open || depth === 0), "aria-label": layer.path[depth] }, make("div", { class: "row" }, make("span", { class: "name" }, layer.path[depth])), list);
      (groups.at(-1)?.list ?? root).append(item);
      groups.push({ name: layer.path[depth], list });
    }
    const item = make("li", { role: "treeitem", tabindex: "-1", "aria-label": `${layer.name}, ${layer.type}${layer.mark ? `, ${layer.mark}` : ""}` },
      make("div", { class: "row leaf" }, make("span", { class: "name" }, layer.label), layer.mark ? make("span", { class: "sign" }, layer.mark) : "", make("span", { class: "dim" }, layer.shape)));
    item.dataset[layer.kind] = layer.name;
    item.target = { kind: layer.kind, name: layer.name };
    item.mark = layer.mark;
    item.words = `${layer.path.join(" ")} ${layer.name} ${layer.type} ${layer.mark ?? ""}`.toLowerCase();
    (groups.at(-1)?.list ?? root).append(item);
  }
  countMarks();
  const first = items()[0];
  if (first) first.tabIndex = 0;
  root.addEventListener("click", (event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    settle(item);
    act(item);
  });
  root.addEventListener("keydown", treeKey);
}

// Each group shows how many of its layers differ, also while it is folded.
function countMarks() {
  for (const item of items()) {
    const count = item.target ? 0 : [...item.querySelectorAll("[role=treeitem]")].filter(({ mark }) => mark).length;
    if (!count) continue;
    item.firstElementChild.append(make("span", { class: "sign" }, `${count} differ`));
    item.setAttribute("aria-label", `${item.getAttribute("aria-label")}, ${count} differ`);
  }
}

const act = (item) => (item.target ? open_(item.target) : toggle(item));
const open_ = ({ kind, name }) => {
  const hash = `#${kind}=${encodeURIComponent(name)}`;
  if (location.hash === hash) follow();
  else location.hash = hash;
};
const expanded = (item) => item.getAttribute("aria-expanded");
const toggle = (item, to = expanded(item) !== "true") => item.setAttribute("aria-expanded", String(to));

function settle(item) {
  for (const other of items()) {
    other.tabIndex = other === item ? 0 : -1;
    other.setAttribute("aria-selected", String(other === item));
  }
}

// Tab reaches the list at a single item, which must be visible.
function keepTabStop() {
  const every = visible();
  if (!every.length || every.some((item) => item.tabIndex === 0)) return;
  const stop = every.find((item) => item.target) ?? every[0];
  for (const item of items()) item.tabIndex = item === stop ? 0 : -1;
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
    Enter: () => act(item),
    " ": () => act(item),
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
    if (!item.target) continue;
    item.hidden = !words.every((word) => item.words.includes(word));
    if (!item.hidden) hits++;
  }
  for (const item of items().reverse()) {
    if (item.target) continue;
    item.hidden = ![...item.querySelectorAll("[role=treeitem]")].some((inner) => inner.target && !inner.hidden);
    if (words.length && !item.hidden) toggle(item, true);
  }
  byId("hits").textContent = words.length ? `${hits} of ${state.listed.count} ${state.listed.word}` : "";
  keepTabStop();
}

function searchKey(event) {
  const first = visible().find((item) => item.target);
  if (event.key === "Enter" && first) open_(first.target);
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
