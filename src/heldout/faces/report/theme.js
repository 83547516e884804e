// Draws every figure once; its colours are variables of the page's style, so that light, dark and paper need no second drawing.
const specifications = JSON.parse(document.getElementById("specifications").textContent);
const root = document.documentElement;
const config = JSON.parse(document.getElementById("figure-colours").textContent);
if (window.innerWidth < 600) config.legend.columns = 1;

async function draw() {
  for (const view of document.querySelectorAll(".view")) {
    await window.vegaEmbed(view, specifications[view.dataset.figure], { actions: false, renderer: "svg", config });
  }
  root.dataset.drawn = "yes";
}

document.getElementById("theme").addEventListener("click", () => {
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
});
window.addEventListener("beforeprint", () => document.querySelectorAll("details.card").forEach((d) => (d.open = true)));
draw();
