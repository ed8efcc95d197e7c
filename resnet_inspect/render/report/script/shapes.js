// The shape table, at four depths.

function shapeSection() {
  const shapes = state.facts.shapes;
  const first = shapes.some((one) => one.depth === "layer") ? "layer" : shapes[0].depth;
  const made = sortable(shapes, { by: "depth", first, name: "shape table", id: "filter" });
  made.at(-1).classList.add("shapes");
  return section("shapes", "Shapes", made);
}
