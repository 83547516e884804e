// A training run as it happens: rows come as they are written, curves grow, words come from the server, which alone computes phases.
import { draw, drawn, specifications } from "./figures.js";
import { counted, interval, lasted, span } from "./numbers.js";
import { makeSortable } from "./tables.js";

const PAUSES = [0.3, 0.6, 1, 2, 4]; // seconds between attempts to reach the server again
const GATHER = 200; // milliseconds of rows that are drawn at once
const WORDS_EVERY = 3000; // milliseconds at least between two questions for phases and advice
const LONGEST = 1600; // rows a curve's reading and member may hold before every other one is left out

const live = JSON.parse(document.getElementById("live").textContent);
const connection = document.getElementById("connection");
let last = live.after;
let figureOf = figuresByReading(live.figures);
let views = new Map();
let pending = [];
let ended = live.finished;
let ends = new Map(); // figure -> the last step that the server's own rows of it hold; what comes once more is left out

function figuresByReading(figures) {
  return new Map(Object.entries(figures).flatMap(([figure, readings]) => readings.map((reading) => [reading, figure])));
}

function say(state, words) {
  if (connection.textContent === words) return; // a live region repeats nothing
  connection.className = `status ${state}`;
  connection.textContent = words;
}

// the connection
let attempt = 0;
function connect() {
  const source = new EventSource(last ? `${live.events}?after=${encodeURIComponent(last)}` : live.events);
  source.onopen = () => {
    attempt = 0;
    say("live", "live");
  };
  source.addEventListener("segment", (event) => {
    last = event.lastEventId || last;
    pending.push(...JSON.parse(event.data));
    gather();
  });
  source.addEventListener("fault", (event) => {
    last = event.lastEventId || last; // a segment that cannot be read: the words say so
    askForWords(300);
  });
  source.addEventListener("end", () => {
    source.close();
    ended = true;
    say("ended", "ended");
    gather();
    askForWords(0);
  });
  source.onerror = () => {
    source.close(); // the browser's own attempts would not say what was read last
    if (ended) return;
    say("away", "reconnecting");
    setTimeout(connect, 1000 * PAUSES[Math.min(attempt++, PAUSES.length - 1)]);
    if (attempt === PAUSES.length) refusedOrAway();
  };
}

/** A server that was started again with another token answers, and says no. */
async function refusedOrAway() {
  const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (answer?.status === 401) say("away", "token needed: open the address that heldout serve printed");
}

// rows
let gathering = 0;
function gather() {
  gathering ||= setTimeout(() => {
    gathering = 0;
    const rows = pending;
    pending = [];
    if (rows.length) show(rows);
  }, GATHER);
}

function show(rows) {
  const fresh = new Map();
  let strange = false;
  for (const row of rows) {
    if (row.value === null || row.value === undefined) continue;
    const figure = figureOf.get(row.name);
    if (!figure) strange = true; // a reading that the page has no figure for: the server makes one
    else fresh.set(figure, [...(fresh.get(figure) || []), row]);
  }
  for (const [figure, own] of fresh) grow(figure, own);
  const end = rows.at(-1);
  const step = Math.max(...rows.map((row) => row.step));
  document.getElementById("step").textContent = counted(step);
  if (end.seconds != null) document.getElementById("seconds").textContent = lasted(end.seconds);
  const done = document.getElementById("done");
  if (done) done.value = step;
  showLast(rows);
  stretchGround(step);
  askForWords(strange ? 300 : WORDS_EVERY, strange);
}

function grow(figure, arrived) {
  const rows = arrived.filter((row) => row.step > (ends.get(figure) ?? -1));
  const view = views.get(figure);
  const kept = specifications[figure].datasets.readings;
  kept.push(...rows);
  if (!view) return; // not drawn yet: it will be drawn with them
  const curves = new Set(kept.map((row) => `${row.name} ${row.member}`)).size;
  if (kept.length > LONGEST * curves) {
    const steps = [...new Set(kept.map((row) => row.step))].sort((a, b) => a - b);
    const left = new Set(steps.filter((_, place) => place % 2 === 0 || place > steps.length - 50));
    specifications[figure].datasets.readings = kept.filter((row) => left.has(row.step));
    renew(view, "readings", specifications[figure].datasets.readings);
  } else change(view, () => view.insert("readings", copied(rows)));
}

const copied = (rows) => rows.map((row) => ({ ...row })); // Vega writes into what it is given

/** One change after the other: of two before a run Vega would keep the later alone. */
const changes = new WeakMap();
function change(view, apply) {
  const run = () => {
    apply();
    return view.runAsync();
  };
  changes.set(view, (changes.get(view) || Promise.resolve()).then(run, run));
}

function renew(view, table, rows) {
  const now = copied(rows);
  change(view, () => view.data(table, now));
}

/** The phase that goes on reaches to the newest step. */
function stretchGround(step) {
  for (const [figure, view] of views) {
    const phases = specifications[figure].datasets.phases;
    if (!phases.length) continue;
    phases.at(-1).end = Math.max(phases.at(-1).end, step);
    renew(view, "phases", phases);
  }
}

function showLast(rows) {
  const newest = new Map();
  for (const row of rows) {
    const own = newest.get(row.name);
    newest.set(row.name, own && own[0].step === row.step ? [...own, row] : [row]);
  }
  for (const [name, own] of newest) {
    const line = document.querySelector(`#latest tr[data-reading="${CSS.escape(name)}"]`);
    if (!line) continue;
    const cell = (which) => line.querySelector(`[data-cell="${which}"]`);
    cell("value").textContent = [span(own.map((row) => row.value)), own[0].unit].filter(Boolean).join(" ");
    cell("interval").textContent = own.length === 1 ? interval(own[0]) : "";
    cell("step").textContent = counted(own[0].step);
  }
}

// words: phases, advice, and figures of readings that came later
let whole = false;
let due = Infinity;
let timer = 0;
let asking = false;
function askForWords(pause, alsoFigures = false) {
  whole ||= alsoFigures;
  const at = performance.now() + pause;
  if (asking || at >= due) return; // what is asked sooner, or asked again after the answer, is told then
  due = at;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const figures = whole;
    [whole, due, asking] = [false, Infinity, true];
    try {
      await takeWords(figures);
    } catch {
      whole ||= figures; // the connection's own state says that the server is away
    }
    asking = false;
    if (whole) askForWords(WORDS_EVERY);
  }, pause);
}

async function takeWords(alsoFigures) {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const standing = document.getElementById("standing");
  const fresh = page.getElementById("standing");
  if (!fresh) return;
  const verdict = fresh.querySelector(".verdict");
  const own = standing.querySelector(".verdict");
  if (own.textContent !== verdict.textContent) own.textContent = verdict.textContent; // the live region itself stays where it is
  verdict.replaceWith(own);
  standing.replaceChildren(...fresh.childNodes);
  const newest = JSON.parse(page.getElementById("specifications").textContent);
  for (const [figure, view] of views) {
    if (!newest[figure]) continue;
    specifications[figure].datasets.phases = newest[figure].datasets.phases;
    renew(view, "phases", newest[figure].datasets.phases);
  }
  if (alsoFigures) await takeFigures(page, newest);
}

/** The server's figures in place of ours; what came meanwhile is in them or comes after the segment that they end with. */
async function takeFigures(page, newest) {
  const told = JSON.parse(page.getElementById("live").textContent);
  const since = Object.fromEntries(Object.keys(specifications).map((name) => [name, specifications[name].datasets.readings]));
  figureOf = figuresByReading(told.figures);
  for (const name of Object.keys(specifications)) if (!newest[name]) delete specifications[name];
  for (const [name, specification] of Object.entries(newest)) {
    const end = specification.datasets.readings.reduce((most, row) => Math.max(most, row.step), -1);
    ends.set(name, end);
    specification.datasets.readings.push(...(since[name] || []).filter((row) => row.step > end));
    specifications[name] = specification;
  }
  for (const id of ["curves", "latest"]) {
    const fresh = page.getElementById(id);
    const here = document.getElementById(id);
    if (fresh && here) here.replaceWith(fresh);
    else if (fresh) document.getElementById("curves").after(fresh);
  }
  makeSortable(document);
  await drawCurves();
}

// curves
let drawing = Promise.resolve();
function drawCurves() {
  drawing = drawing.then(drawOnce, drawOnce); // one after the other: a figure has one view
  return drawing;
}

async function drawOnce() {
  views.forEach((view) => view.finalize());
  views = new Map();
  for (const place of document.querySelectorAll("#curves .view")) {
    const name = place.dataset.figure;
    if (!specifications[name]) continue;
    const view = await draw(place, scaled(specifications[name]));
    const { readings, phases } = specifications[name].datasets; // some came while it was being drawn
    renew(view, "readings", readings);
    renew(view, "phases", phases);
    views.set(name, view);
  }
}

let scale = "";
function scaled(specification) {
  const copy = structuredClone(specification);
  for (const { encoding } of copy.layer) {
    if (!encoding.x || !scale) continue;
    encoding.x.scale = scale === "symlog" ? { type: "symlog", constant: 1, nice: false } : { type: "linear", nice: false };
    if (encoding.x.axis) {
      if (scale === "symlog") encoding.x.axis.values = [0, ...Array.from({ length: 12 }, (_, power) => 10 ** power)];
      else delete encoding.x.axis.values;
    }
  }
  return copy;
}

function offerScales() {
  const fields = document.getElementById("scale");
  const first = Object.values(specifications)[0];
  if (!first) return;
  const used = first.layer.find((layer) => layer.encoding.x?.scale).encoding.x.scale.type;
  fields.querySelector(`[value="${used}"]`).checked = true;
  fields.hidden = false;
  fields.addEventListener("change", (event) => {
    scale = event.target.value;
    drawCurves();
  });
}

views = await drawn;
offerScales();
document.documentElement.dataset.live = "yes";
if (!ended) connect();
