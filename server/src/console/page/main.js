// Asks for the state again and again, and hands it to all that draw.

const PERIOD_MS = 2000, PATIENCE_MS = 8000, POINTS_MAX = 450;

const trial = new Trial();
const choose = (name) => trial.choose(name);
const models = new Models(() => poll(), choose);
const departures = new Departures(choose);
const figures = new Figures();
const histograms = [
  new Histogram("Warm latency, how often", "green", "warm", "No prediction by a model in memory."),
  new Histogram("Cold latency, how often", "blue", "cold", "No prediction waited for its model."),
];
const steps = new Steps();
let state = null, past = null, lost = null, turn = 0, timer = null;

const ratio = ({ hits, lookups }) => hits.map((number, place) => (lookups[place] ? number / lookups[place] : null));
const memoryLimit = (past) => past.at.map(() => state.memory.limit_bytes);
const column = (name) => (past) => past[name];
const quantiles = (kind) => [
  { name: "p50", colour: "green", of: column(kind + "_p50_us") },
  { name: "p99", colour: "violet", of: column(kind + "_p99_us") },
];
new Chart({ title: "Memory against budget", words: bytes, empty: "No model is in memory.", series: [{ name: "models", colour: "green", kind: "area", of: column("memory_bytes") }, { name: "budget", colour: "muted", kind: "limit", of: memoryLimit }] });
new Chart({ title: "Models in memory", empty: "No model is in memory.", series: [{ name: "models", colour: "green", kind: "area", of: column("models") }] });
new Chart({ title: "Invocations a second", words: rate, stacked: "areas", empty: "No model is asked for.", series: [{ name: "2xx", colour: "green", of: column("success") }, { name: "4xx", colour: "amber", of: column("client_error") }, { name: "5xx", colour: "red", of: column("server_error") }, { name: "abandoned", colour: "muted", of: column("abandoned") }] });
new Chart({ title: "Warm latency", words: micros, scale: "log", empty: "No prediction by a model in memory.", series: quantiles("warm") });
new Chart({ title: "Cold latency", words: micros, scale: "log", empty: "No prediction waited for its model.", series: quantiles("cold") });
new Chart({ title: "Hit ratio", words: percent, top: 1, empty: "No model is asked for.", series: [{ name: "in memory", colour: "green", kind: "area", of: ratio }] });
new Chart({ title: "Departures", note: "in 2 s", stacked: "bars", empty: "No model has left.", series: Object.entries(REASONS).map(([name, { colour }]) => ({ name, colour, of: (past) => past.left[name] })) });
new Chart({ title: "Loads", note: "in 2 s", stacked: "bars", empty: "No model has come.", series: [{ name: "ready", colour: "green", of: column("loads") }, { name: "failed", colour: "red", of: column("load_failures") }] });
byId("charts").append(...[...charts, ...histograms, steps].map((chart) => chart.node));

/** What is new joins what is known; another process has another past. */
function remember(past, history) {
  for (const [name, values] of Object.entries(history)) {
    if (Array.isArray(values)) past[name] = [...(past[name] || []), ...values].slice(-POINTS_MAX);
    else if (typeof values === "object") past[name] = remember(past[name] || {}, values);
    else past[name] = values;
  }
  return past;
}

async function ask() {
  const query = new URLSearchParams({ since: past ? past.next : 0, ...models.query() });
  const response = await fetch(`/console/state?${query}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`the server answers ${response.status}${response.status === 404 ? ": its console is off, or not for this address" : ""}`);
  return response.json();
}

async function poll() {
  clearTimeout(timer);
  const mine = (turn += 1);
  let found = null, because = null;
  try {
    found = await ask();
  } catch (error) {
    because = error.name === "TimeoutError" ? "it does not answer in time" : error instanceof TypeError ? "it cannot be reached" : error.message;
  }
  // Another question has been asked meanwhile, and its answer is the one that is wanted.
  if (mine !== turn) return;
  if (!document.hidden) timer = setTimeout(poll, PERIOD_MS);
  if (found === null) return tellLoss(because);
  if (state !== null && state.server.started !== found.server.started) {
    past = state = null;
    return poll();
  }
  past = remember(past || {}, found.history);
  state = found;
  lost = null;
  draw();
}

function draw() {
  drawGraphs();
  figures.draw(state, past);
  models.draw(state);
  departures.draw(state);
  trial.draw(state);
  settings(state);
  const { server } = state, readiness = byId("readiness");
  readiness.hidden = false;
  readiness.className = server.readiness === "ready" ? "chip good" : "chip";
  say(readiness, server.readiness);
  say(byId("facts"), `${server.mode} · version ${server.version} · up ${span(server.now - server.started)}`);
  byId("trouble").hidden = true;
  document.body.classList.remove("lost-server");
  byId("connection").className = "live";
  say(byId("connection"), "Live");
}

function drawGraphs() {
  if (!past || !past.at) return;
  for (const chart of charts) chart.draw(past);
  for (const histogram of histograms) histogram.draw(state.latency);
  steps.draw(state.steps, state.counts);
}

function tellLoss(because) {
  lost = lost || Date.now() / 1000;
  document.body.classList.add("lost-server");
  byId("connection").className = "lost";
  say(byId("connection"), "Not connected");
  byId("trouble").hidden = false;
  say(byId("trouble"), `No news of the server since ${clock(lost)}: ${because}. Trying again every ${PERIOD_MS / 1000} s.`);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else poll();
});
new ResizeObserver(drawGraphs).observe(byId("charts"));
poll();
