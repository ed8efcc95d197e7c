// The part of a panel that shows what tensors held.
//
// A view is { label, series } of one tensor, or of several on a common scale that stand side by side;
// `sides` names these, `together(places, scale, width)` draws them in one figure at a step, `below()`
// makes what stands under it.

function distributions(views, steps = null) {
  const place = make("div");
  if (!state.facts.series.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "Nothing was recorded of what tensors held."));
  if (!views.length) return section("panel-distributions", "Distributions", make("p", { class: "dim" }, "Nothing was recorded of what it held; --taps of `resnet-inspect trace` decides that."));
  if (state.view >= views.length) state.view = 0;
  steps ??= [...new Set(views.flatMap((view) => view.series.flatMap((one) => one.steps)))].sort((a, b) => a - b);
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
      detail.replaceChildren(...view.together(series.map((one) => nearest(one, state.step)), scale, Math.floor(place.clientWidth || 520) - 2));
      return;
    }
    const open = detail.querySelector("details")?.open ?? false;
    detail.replaceChildren(...series.map((one) => {
      const where = nearest(one, state.step);
      const numbers = state.numbers;
      const text = (name) => numbers.text(one, where, name);
      const zeros = percent(numbers.whole(one, where, "zeros") / Math.max(1, numbers.whole(one, where, "count")));
      const outside = [["below", "‹"], ["above", "›"]].filter(([side]) => numbers.value(one, where, side) > 0).map(([side, sign]) => `, ${percent(numbers.value(one, where, side))} outside ${sign}`).join("");
      const bad = notFinite(one, where);
      return make("figure", {},
        make("figcaption", {}, make("b", {}, series.length > 1 ? titleOf(one) : `At step ${one.steps[where]}`), ` mean ${text("mean")}, std ${text("std")}, ${text("min")} … ${text("max")}, zeros ${zeros}${outside}`,
          bad ? make("span", { class: "bad" }, ` ${bad.toLocaleString("en")} not finite`) : ""),
        histogram(one, where, scale, width), folded("The same as a table", () => cellTable(one, where), open));
    }));
  }

  function shownNow() {
    const view = views[state.view];
    const kinds = new Set(view.series.map((one) => one.kind));
    const scale = Scale.common(kinds.size === 1 ? view.series.map((one) => one.scale) : [view.series[0].scale]);
    const room = Math.max(260, (place.clientWidth || 520) - 2);
    const width = view.sides && room > 640 ? (room - 16) / 2 : room;
    return { series: view.series, scale, width, view };
  }

  function show() {
    const { series, scale, width, view } = shownNow();
    const width0 = Math.floor(width);
    pictures = series.map((one) => overSteps(one, scale, width0, state.style));
    const figures = pictures.map((picture, at) => {
      const one = series[at];
      const side = view.sides ? `${view.sides[at]}: ` : "";
      const most = Math.max(...one.steps.map((_, where) => state.numbers.whole(one, where, "count")));
      const sample = one.elements === null || most === one.elements ? `all ${most.toLocaleString("en")} elements` : `${most.toLocaleString("en")} of ${one.elements.toLocaleString("en")} elements, spread evenly over the batch`;
      return make("figure", {}, make("figcaption", {}, make("b", {}, side + titleOf(one)), ` ${sample}`), picture);
    });
    const bent = scale.bent ? ` The axis is logarithmic to both sides of zero, about linear from −${tick(scale.threshold)} to ${tick(scale.threshold)}.` : "";
    const rule = state.style === "heat" ? "A shade is the share of a step's numbers in a cell; zeros are beside it." : "Each ridge is scaled to its own highest point; zeros are beside it.";
    place.replaceChildren(
      make("div", { class: "pictures" }, figures),
      make("p", { class: "dim" }, rule + bent),
      make("div", { class: "slider", hidden: steps.length < 2 }, make("label", { for: "step" }, "step"), slider, output),
      detail,
      ...(view.below?.() ?? []),
      ...series.flatMap((one, at) => [folded(`${series.length > 1 ? `${view.together ? `${view.sides[at]}, ` : ""}${titleOf(one)}: the` : "The"} numbers of ${one.steps.length > 1 ? `all ${one.steps.length} steps` : "the one step"} as a table`, () => stepTable(one)),
        ...(one.remarks.length ? [make("ul", { class: "remarks" }, one.remarks.map((line) => make("li", {}, line)))] : [])]),
      make("p", { class: "dim" }, "Quantiles are read from bins, within 6.25 %; numbers have four digits."));
    atStep();
  }

  state.onStep = atStep;
  state.onResize = show;
  const tools = make("div", { class: "tools" },
    choice("view", "what", views.map((view, at) => [String(at), view.label]), String(state.view), (at) => { state.view = Number(at); show(); }),
    choice("style", "picture", [["heat", "heat map"], ["ridges", "ridges"]], state.style, (kind) => { state.style = kind; show(); }));
  const made = section("panel-distributions", "Distributions over the steps", tools, place);
  state.onShown = show;
  return made;
}

function setStep(step) {
  state.step = step;
  state.onStep?.();
}
