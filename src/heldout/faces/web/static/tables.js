// Sorts tables whose rows are all on the page: a button in each heading, numbers as numbers, the order as it was at a third press.
const NUMBER = /^[−-]?[\d,]*\.?\d+(e[+-]?\d+)?/i;

/** What a cell is sorted by: its number if it begins with one, otherwise its text; nothing for a cell without either. */
export function keyOf(cell) {
  const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim();
  const number = NUMBER.exec(text);
  if (number) return Number(number[0].replaceAll(",", "").replace("−", "-"));
  return text === "—" ? "" : text.toLowerCase();
}

function compared(first, second) {
  if (first === "" || second === "") return (first === "") - (second === ""); // what is absent comes last
  if (typeof first === "number" && typeof second === "number") return first - second;
  return String(first).localeCompare(String(second));
}

function sortable(table) {
  const body = table.tBodies[0];
  const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
  if (!body || body.rows.length < 3 || heads.some((head) => head.querySelector("a.sort, button"))) return;
  const rows = [...body.rows];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    if (head.querySelector("a")) return; // a heading that leads somewhere stays a link
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const order = { null: "ascending", ascending: "descending", descending: null }[before];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (order) head.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      const keyed = rows.map((row) => [keyOf(row.cells[column]), row]);
      if (order) {
        keyed.sort(([a], [b]) => (a === "" || b === "" ? compared(a, b) : sign * compared(a, b)));
      }
      body.append(...keyed.map(([, row]) => row));
    });
  });
}

export function makeSortable(within = document) {
  within.querySelectorAll("main table:not(.list), main table.sortable").forEach(sortable);
}

makeSortable();
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
