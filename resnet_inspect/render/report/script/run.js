// The page of one run: its parts in their order, and its panels.

const PANELS = { layer: layerPanel, box: boxPanel, op: opPanel, variable: variablePanel };

function compose(main, picture) {
  const parts = state.facts.sections.map((one) => section(one.name, one.title, one.blocks.map(drawn)));
  const scalars = state.facts.scalars.length ? [scalarSection()] : [];
  const closing = state.facts.closing.map((one) => section(one.name, one.title, one.blocks.map(drawn)));
  main.append(...parts, ...scalars);
  const after = parts.find((one) => /^(flow|origin-|blocks|learning)/.test(one.id)) ?? scalars[0];
  if (after) after.before(picture);
  else main.append(picture);
  main.append(shapeSection(), ...closing);
}
