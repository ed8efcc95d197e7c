// The shape table, at four depths.

function shapeSection() {
  const shapes = state.facts.shapes;
  const first = shapes.some((block) => block.depth === "layer") ? "layer" : shapes[0].depth;
  const parts = sortable(shapes, { by: "depth", first, name: "shape table", id: "filter" });
  parts.at(-1).classList.add("shapes");
  return section("shapes", "Shapes", parts);
}
