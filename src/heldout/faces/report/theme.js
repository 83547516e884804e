// Draws every figure once; its colours are variables of the page's style, so that light, dark and paper need no second drawing.
const specifications = JSON.parse(document.getElementById("specifications").textContent);
const root = document.documentElement;
const ink = "var(--figure-ink)";
const line = "var(--line)";
const config = {
  background: "transparent",
  font: "system-ui, sans-serif",
  view: { stroke: "transparent" },
  axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
  legend: { labelColor: ink, titleColor: ink, orient: "top", labelFontSize: 12, labelLimit: 240, columns: window.innerWidth < 600 ? 1 : 4 },
  header: { labelColor: ink, titleColor: ink },
  range: { category: [0, 1, 2, 3, 4, 5, 6, 7].map((place) => `var(--series-${place})`) },
};

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
