// Before anything is painted: the theme that was chosen here before. A plain script, so that no page ever flashes in the other one.
(() => {
  const root = document.documentElement;
  const chosen = () => {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto"; // storage may be forbidden; the system's theme holds then
    }
  };
  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  root.classList.add("scripted");
  show(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const fields = document.querySelector(".themes");
    fields.hidden = false;
    fields.querySelector(`[value="${chosen()}"]`).checked = true;
    fields.addEventListener("change", (event) => {
      show(event.target.value);
      try {
        localStorage.setItem("theme", event.target.value);
      } catch {
        // it holds for this page alone
      }
    });
  });
  window.addEventListener("storage", (event) => event.key === "theme" && show(event.newValue || "auto")); // other tabs follow
})();
