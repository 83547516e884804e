// Draws every figure in the colours of the page, and again when they change.
const palettes = {
  light: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#737373"],
  dark: ["#56b4e9", "#f08a4b", "#3fcf9f", "#e59ac6", "#f0c04b", "#9ad0f0", "#b79ae0", "#a8a8a8"],
};
const specifications = JSON.parse(document.getElementById("specifications").textContent);
const system = window.matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

function dark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
}

function config() {
  const ink = dark() ? "#d7d5cf" : "#33322e";
  const line = dark() ? "#4a4945" : "#d9d6cd";
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: "transparent" },
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
    legend: { labelColor: ink, titleColor: ink, orient: "top", labelFontSize: 12, labelLimit: 240, columns: window.innerWidth < 600 ? 2 : 4 },
    range: { category: dark() ? palettes.dark : palettes.light },
  };
}

async function draw() {
  root.dataset.drawn = "no";
  for (const view of document.querySelectorAll(".view")) {
    const options = { actions: false, renderer: "svg", config: config(), tooltip: { theme: dark() ? "dark" : "light" } };
    await window.vegaEmbed(view, specifications[view.dataset.figure], options);
  }
  root.dataset.drawn = "yes";
}

document.getElementById("theme").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  draw();
});
system.addEventListener("change", draw);
window.addEventListener("beforeprint", () => document.querySelectorAll("details.card").forEach((d) => (d.open = true)));
draw();
