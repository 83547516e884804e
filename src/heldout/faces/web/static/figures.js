// Draws figures with Vega's interpreter: no text is ever run as code. Colours are variables of the style, so that light, dark and paper
// need no second drawing.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
export const specifications = read("specifications");
const config = read("figure-colours");
if (window.innerWidth < 640) config.legend.columns = 1;
const options = {
  actions: false,
  ast: true,
  config,
  defaultStyle: false,
  renderer: "svg",
  tooltip: { disableDefaultStyle: true, sanitize: (value) => escaped(value) },
};

/** Text of a tooltip as markup that shows it. */
function escaped(value) {
  const text = document.createElement("span");
  text.textContent = String(value);
  return text.innerHTML;
}

/** Draws a specification in its place; gives Vega's view. */
export async function draw(place, specification) {
  if (!window.vegaEmbed) await import("./vega.js");
  const { view } = await window.vegaEmbed(place, structuredClone(specification), options);
  return view;
}

/** Every figure of the page, those on the screen first. */
export async function drawAll(within = document) {
  const views = new Map();
  for (const place of within.querySelectorAll(".view")) {
    const name = place.dataset.figure;
    if (!(name in specifications)) continue;
    views.set(name, await draw(place, specifications[name]));
    await new Promise((next) => setTimeout(next)); // between two figures the page answers
  }
  return views;
}

/** The views by the names of their figures, once all are drawn. */
export const drawn = drawAll();
drawn.then(() => (document.documentElement.dataset.drawn = "yes"));
