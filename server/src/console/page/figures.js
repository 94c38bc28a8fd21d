// The numbers of this moment, and what the server was told to be.

const RECENT_POINTS = 15;

class Figures {
  constructor() {
    this.entries = ["Memory of models", "Models in memory", "Requests a second", "Hit ratio", "Warm latency", "Cold latency", "Server errors", "Left a minute"].map((name) => {
      const value = element("dd"), detail = element("dd", { class: "detail" });
      const node = element("div", { class: "figure" }, element("dt", {}, name), value, detail);
      byId("figures").append(node);
      return { node, value, detail };
    });
  }

  draw(state, past) {
    const recent = (column) => past[column].slice(-RECENT_POINTS);
    const total = (values) => values.slice(-RECENT_POINTS).reduce((sum, value) => sum + value, 0);
    const sum = (column) => total(past[column]);
    const latest = (column) => recent(column).filter((value) => value !== null).pop();
    const length = Math.max(1, recent("at").length), asked = sum("lookups");
    const { used_bytes, limit_bytes, resident_bytes } = state.memory;
    const latency = (kind) => {
      const [p50, p99] = [latest(kind + "_p50_us"), latest(kind + "_p99_us")];
      return p50 === undefined ? [NOTHING, `none in ${span(length * past.period_s)}`] : [micros(p50), `p99 ${micros(p99)}`];
    };
    const failed = past.server_error.reduce((sum, value) => sum + value * past.period_s, 0);
    this.say(0, percent(used_bytes / limit_bytes), `${plain(bytes(used_bytes))} of ${plain(bytes(limit_bytes))}`);
    this.say(1, count(state.models.total), resident_bytes ? `process ${bytes(resident_bytes)}` : "");
    this.say(2, rate((sum("success") + sum("client_error") + sum("server_error")) / length), `${count(state.requests.in_flight)} in flight`);
    this.say(3, asked ? percent(sum("hits") / asked) : NOTHING, `overall ${state.requests.lookups ? percent(state.requests.hits / state.requests.lookups) : NOTHING}`);
    this.say(4, ...latency("warm"));
    this.say(5, ...latency("cold"));
    this.say(6, count(Math.round(failed)), `5xx in ${span(Math.max(past.period_s, past.at.length * past.period_s))}`);
    const left = Object.values(past.left).reduce((sum, values) => sum + total(values), 0), last = state.departures[0];
    this.say(7, rate((left * 60) / (length * past.period_s)), last ? `last ${span(Math.max(0, state.server.now - last.at))} ago` : "none yet");
    this.entries[6].node.classList.toggle("bad", Math.round(failed) > 0);
  }

  say(number, value, detail) {
    say(this.entries[number].value, value);
    say(this.entries[number].detail, detail);
  }
}

function settings({ server, counts, requests }) {
  facts(byId("settings"), [
    ["Largest body", bytes(server.body_bytes_max)],
    ["Largest artifact", bytes(server.model_bytes_max)],
    ["Connections", `${count(requests.connections)} of ${count(server.connections_max)}`],
    ["A request waits for a load", `up to ${span(server.load_wait_s)}`],
    ["A model stays", `at least ${span(server.residency_min_s)}`],
    ["Idle models leave", server.idle_max_s === null ? "never" : `after ${span(server.idle_max_s)}`],
    ["Grace at the end", span(server.grace_s)],
    ["Workers", count(server.workers)],
    ["Loads", `${count(counts.loads)}, ${count(counts.cached_loads)} from the cache`],
    ["Loads that failed", count(counts.load_failures)],
    ["Conversions", `${count(counts.conversions)}, ${count(counts.verification_failures)} not verified`],
    ["Panics", count(requests.panics)],
    ["Left for room", count(counts.left.room)],
    ["Left under pressure", count(counts.left.pressure)],
    ["Left for idleness", count(counts.left.idle)],
    ["Unloaded", count(counts.left.unload)],
    ["Replaced, deleted", `${count(counts.left.replaced)}, ${count(counts.left.deleted)}`],
    ["Left for a damaged file", count(counts.left.damage)],
  ]);
}
