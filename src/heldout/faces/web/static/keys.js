// The keyboard: "/" goes to the search, arrows walk through rows, Enter opens one (it is a link), "c" chooses it for comparing.
const writes = (place) => place.matches("input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable]");
const links = () => [...document.querySelectorAll("table.rows a.row")].filter((link) => link.offsetParent !== null);

function walk(step, from) {
  const rows = links();
  if (!rows.length) return false;
  const here = rows.findIndex((link) => link.closest("tr") === from);
  const next = step === Infinity ? rows.length - 1 : step === -Infinity ? 0 : here + step;
  if (next < 0) document.getElementById("search")?.focus();
  else rows[Math.min(next, rows.length - 1)].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const place = event.target;
  const search = document.getElementById("search");
  const row = place.closest?.("table.rows tbody tr");
  if (event.key === "/" && search && !writes(place)) {
    search.focus();
    search.select();
  } else if (event.key === "ArrowDown" && (row || place === search || place === document.body)) {
    if (place === search && search.list && search.value && !links().length) return;
    if (!walk(1, row)) return;
  } else if (event.key === "ArrowUp" && row) {
    if (!walk(-1, row)) return;
  } else if (event.key === "Home" && row) {
    walk(-Infinity, row);
  } else if (event.key === "End" && row) {
    walk(Infinity, row);
  } else if (event.key === "c" && row && !writes(place)) {
    row.querySelector(".pick input")?.click();
  } else if (event.key === "Escape" && place === search) {
    search.blur();
    return;
  } else return;
  event.preventDefault();
});
