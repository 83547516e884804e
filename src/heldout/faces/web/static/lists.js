// Lists answer while one types: the server finds, the page shows, the address says what was asked. The catalog is all on its page and
// is searched there.
const form = document.getElementById("filters");
const PAUSE = 160; // milliseconds without a key, after which a query is asked

/** What the form says; empty fields are left out, but of conditions, whose three lists belong together. */
function asked() {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!["reading", "low", "high"].includes(name) || !form.querySelector(".condition")) {
      if (value.trim()) found.append(name, value.trim());
    }
  }
  for (const condition of form.querySelectorAll(".condition")) {
    const fields = [...condition.querySelectorAll("input")];
    if (fields[0].value.trim()) fields.forEach((field) => found.append(field.name, field.value.trim()));
  }
  if (chosen.size && location.pathname === "/") chosen.forEach((run) => found.append("compare", run));
  return found;
}

const addressOf = (query) => location.pathname + (query.size ? `?${query}` : "");

// runs chosen for comparing: they stay chosen while the list changes, and stand in the address
const chosen = new Set(new URLSearchParams(location.search).getAll("compare"));
const results = document.getElementById("results");

function showChosen() {
  const button = document.getElementById("compare");
  if (!button) return;
  button.disabled = chosen.size < 2;
  button.title = chosen.size < 2 ? "Choose two runs or more" : "";
  document.getElementById("chosen").textContent = chosen.size ? ` ${chosen.size}` : "";
  results.querySelectorAll(".pick input").forEach((box) => (box.checked = chosen.has(box.value)));
}

results.addEventListener("change", (event) => {
  if (!event.target.matches(".pick input")) return;
  if (event.target.checked) chosen.add(event.target.value);
  else chosen.delete(event.target.value);
  showChosen();
  history.replaceState(null, "", addressOf(asked()));
});
results.addEventListener("submit", (event) => {
  event.preventDefault();
  if (chosen.size > 1) location.assign(`/compare?runs=${[...chosen].join(",")}`);
});

// live lists
let waiting = 0;
let running = null;

async function ask() {
  running?.abort();
  const own = (running = new AbortController());
  const address = addressOf(asked());
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: own.signal, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("results");
    results.replaceChildren(...(fresh ? fresh : page.querySelector("main")).childNodes);
    history.replaceState(null, "", address);
    for (const label of page.querySelectorAll("#kinds label")) {
      const value = label.querySelector("input").value;
      const here = form.querySelector(`#kinds input[value="${CSS.escape(value)}"]`)?.parentElement;
      if (here) here.querySelector("b").textContent = label.querySelector("b").textContent;
    }
    showChosen();
  } catch (error) {
    if (error.name === "AbortError") return;
    const words = document.createElement("p");
    words.className = "verdict";
    words.setAttribute("role", "alert");
    words.textContent = "The server does not answer. Is it still running?";
    results.replaceChildren(words);
  } finally {
    if (running === own) results.removeAttribute("aria-busy");
  }
}

function liveList() {
  const soon = (pause) => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, pause);
  };
  form.addEventListener("input", (event) => soon(event.target.matches("[type=radio], select") ? 0 : PAUSE));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
  const conditions = document.getElementById("conditions");
  conditions?.addEventListener("input", () => {
    const last = conditions.lastElementChild; // there is always an empty one to write into
    if (!last.querySelector("input").value) return;
    const another = last.cloneNode(true);
    another.querySelectorAll("input").forEach((field) => (field.value = ""));
    conditions.append(another);
  });
  if (results.querySelector(".found .note")) setTimeout(function again() { // the store is still being read
    if (results.querySelector(".found .note")) ask().then(() => setTimeout(again, 2000));
  }, 2000);
  showChosen();
}

// the catalog
function listHere() {
  const rows = [...results.querySelectorAll("tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
  const search = document.getElementById("search");
  const given = new URLSearchParams(location.search);
  search.value = given.get("q") || "";
  const kind = form.querySelector(`[name=kind][value="${CSS.escape(given.get("kind") || "")}"]`);
  if (kind) kind.checked = true;
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = form.querySelector("[name=kind]:checked").value;
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !(words.every((word) => text.includes(word)) && (!wanted || row.dataset.kind === wanted));
      count += !row.hidden;
    }
    document.getElementById("count").textContent = count.toLocaleString("en");
    history.replaceState(null, "", addressOf(asked()));
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (given.size) show();
}

if (form && "live" in form.dataset) liveList();
if (form && "here" in form.dataset) listHere();
