// The section of a panel that shows the distributions of tensors.
//
// A view is { label, series } of one tensor, or of several tensors side by side on a common scale.
// Optional fields: `sides` are the labels of the sides, `together(places, scale, width)` draws them
// in one figure at a step, `below()` returns the elements under that figure.

function distributions(views, steps = null) {
  const place = make("div");
  if (!state.facts.series.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "This run recorded no tensors."));
  if (!views.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "No tensor was recorded here. `resnet-inspect trace --taps` selects the recorded tensors."));
  if (state.view >= views.length) state.view = 0;
  steps ??= [...new Set(views.flatMap((view) => view.series.flatMap((tensor) => tensor.steps)))].sort((a, b) => a - b);
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
    const { series, scale, width, view } = shownNow();
    if (view.together) {
      detail.replaceChildren(...view.together(series.map((tensor) => nearest(tensor, state.step)), scale, Math.floor(place.clientWidth || 520) - 2));
      return;
    }
    const open = detail.querySelector("details")?.open ?? false;
    detail.replaceChildren(...series.map((tensor) => {
      const where = nearest(tensor, state.step);
      const numbers = state.numbers;
      const text = (name) => numbers.text(tensor, where, name);
      const zeros = percent(numbers.whole(tensor, where, "zeros") / Math.max(1, numbers.whole(tensor, where, "count")));
      const outside = [["below", "‹"], ["above", "›"]].filter(([side]) => numbers.value(tensor, where, side) > 0).map(([side, sign]) => `, ${percent(numbers.value(tensor, where, side))} outside ${sign}`).join("");
      const bad = notFinite(tensor, where);
      return make("figure", {},
        make("figcaption", {}, make("b", {}, series.length > 1 ? titleOf(tensor) : `At step ${tensor.steps[where]}`), ` mean ${text("mean")}, std ${text("std")}, ${text("min")} … ${text("max")}, zeros ${zeros}${outside}`,
          bad ? make("span", { class: "bad" }, ` ${bad.toLocaleString("en")} not finite`) : ""),
        histogram(tensor, where, scale, width), folded("Histogram as a table", () => cellTable(tensor, where), open));
    }));
  }

  function shownNow() {
    const view = views[state.view];
    const kinds = new Set(view.series.map(({ kind }) => kind));
    const scale = Scale.common(kinds.size === 1 ? view.series.map((tensor) => tensor.scale) : [view.series[0].scale]);
    const room = Math.max(260, (place.clientWidth || 520) - 2);
    const width = view.sides && room > 640 ? (room - 16) / 2 : room;
    return { series: view.series, scale, width, view };
  }

  function show() {
    const { series, scale, width, view } = shownNow();
    const width0 = Math.floor(width);
    pictures = series.map((tensor) => overSteps(tensor, scale, width0, state.style));
    const figures = pictures.map((picture, at) => {
      const tensor = series[at];
      const side = view.sides ? `${view.sides[at]}: ` : "";
      const most = Math.max(...tensor.steps.map((_, where) => state.numbers.whole(tensor, where, "count")));
      const sample = tensor.elements === null || most === tensor.elements ? `all ${most.toLocaleString("en")} elements` : `${most.toLocaleString("en")} of ${tensor.elements.toLocaleString("en")} elements, sampled evenly over the batch`;
      return make("figure", {}, make("figcaption", {}, make("b", {}, side + titleOf(tensor)), ` ${sample}`), picture);
    });
    const symlog = scale.symlog ? ` Symmetric-log scale: about linear from −${tick(scale.threshold)} to ${tick(scale.threshold)}.` : "";
    const rule = state.style === "heat" ? "A shade shows the share of a step's values in a cell." : "Each ridge is scaled to its own maximum.";
    place.replaceChildren(
      make("div", { class: "pictures" }, figures),
      make("p", { class: "dim" }, rule + symlog),
      make("div", { class: "slider", hidden: steps.length < 2 }, make("label", { for: "step" }, "step"), slider, output),
      detail,
      ...(view.below?.() ?? []),
      ...series.flatMap((tensor, at) => [folded(`${series.length > 1 ? `${view.together ? `${view.sides[at]}, ` : ""}${titleOf(tensor)}: statistics` : "Statistics"} of ${tensor.steps.length > 1 ? `all ${tensor.steps.length} steps` : "the only step"} as a table`, () => stepTable(tensor)),
        ...(tensor.remarks.length ? [make("ul", { class: "remarks" }, tensor.remarks.map((line) => make("li", {}, line)))] : [])]),
      make("p", { class: "dim" }, "Quantiles are computed from histogram bins (error up to 6.25 %). Numbers are rounded to four digits."));
    atStep();
  }

  state.onStep = atStep;
  state.onResize = show;
  const tools = make("div", { class: "tools" },
    choice("view", "tensor", views.map((view, at) => [String(at), view.label]), String(state.view), (at) => { state.view = Number(at); show(); }),
    choice("style", "plot", [["heat", "heat map"], ["ridges", "ridges"]], state.style, (kind) => { state.style = kind; show(); }));
  state.onShown = show;
  return section("panel-distributions", "Distributions over the steps", tools, place);
}

function setStep(step) {
  state.step = step;
  state.onStep?.();
}
