// The theme, and the start of the script: unpacks the data, then draws the page. `compose`, defined
// in the file of the kind of page, puts the sections in order.

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

async function start() {
  if (typeof DecompressionStream === "undefined") return;
  const facts = JSON.parse(new TextDecoder().decode(await unpack("facts")));
  facts.byName = new Map(facts.layers.map((layer) => [layer.name, layer]));
  facts.opAt = new Map(facts.ops.map((op, at) => [op[0], at]));
  facts.variableAt = new Map(facts.variables.map(([name], at) => [name, at]));
  Object.assign(state, { facts, redraws: [], step: facts.recorded.at(-1) ?? 0 });
  state.numbers = new Numbers(await unpack("numbers"), facts.series, facts.format);
  byId("fallback").remove();
  byId("page").hidden = false;
  const main = byId("main");
  compose(main, byId("diagram"));
  diagram();
  for (const redraw of state.redraws) redraw();
  tree();
  byId("sections").append(...[...main.querySelectorAll(":scope > section")].filter((part) => !/^origin-[1-9]/.test(part.id)).map((part) => make("li", {}, make("a", { href: `#${part.id}`, title: part.querySelector("h2").textContent }, part.id[0].toUpperCase() + part.id.slice(1).replace(/-0$/, "").replaceAll("-", " ")))));
  byId("search").addEventListener("input", search);
  byId("search").addEventListener("keydown", searchKey);
  document.addEventListener("keydown", pageKey);
  window.addEventListener("hashchange", () => follow());
  window.addEventListener("popstate", () => follow(false));
  let waiting = 0;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { state.fit?.(); state.onResize?.(); }, 120); });
  window.addEventListener("beforeprint", () => document.querySelectorAll("#panel details, #scalars details").forEach((fold) => { fold.open = true; fold.fillIn?.(); }));
  if (matchMedia("(max-width: 760px)").matches) byId("contents").open = false;
  theme();
  follow();
  if (/^#[a-z0-9-]+$/.test(location.hash)) byId(location.hash.slice(1))?.scrollIntoView();
  document.documentElement.dataset.ready = "";
  performance.mark("ready");
}

start();
