// The page of one run: the order of its sections, and its panels.

const PANELS = { layer: layerPanel, box: boxPanel, op: opPanel, variable: variablePanel };

function compose(main, picture) {
  const made = ({ name, title, blocks }) => section(name, title, blocks.map(drawn));
  const parts = state.facts.sections.map(made);
  const scalars = state.facts.scalars.length ? [scalarSection()] : [];
  const closing = state.facts.closing.map(made);
  main.append(...parts, ...scalars);
  const after = parts.find((part) => /^(flow|origin-|blocks|learning)/.test(part.id)) ?? scalars[0];
  if (after) after.before(picture);
  else main.append(picture);
  main.append(shapeSection(), ...closing);
}
