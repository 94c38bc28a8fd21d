// Numbers over time: lines, areas, stacks and bars, drawn anew with each state.

const HEIGHT = 118, LEFT = 50, RIGHT = 6, TOP = 8, BOTTOM = 18;
const SPAN_MIN_S = 120;

/** The moment that the pointer or the arrow keys are at, for all charts together. */
const cursor = { at: null };
const charts = [];

/** The unit in which bytes are written; the grid's lines stand at round numbers of it. */
function unitOfBytes(number) {
  return 1024 ** Math.max(0, Math.floor(Math.log(Math.max(1, number / 1.5)) / Math.log(1024)));
}

/**
 * Where a number lies between 0 and 1, and which numbers are written beside the grid: round ones of `unit`, and no closer
 * than that.
 */
function linear(top, unit) {
  const rough = Math.max(unit, top / 3);
  const power = unit * 10 ** Math.floor(Math.log10(rough / unit));
  const step = [1, 2, 5, 10].map((part) => part * power).find((size) => size >= rough * 0.9999) || rough;
  const ticks = [];
  for (let tick = 0; tick <= top * 1.0001; tick += step) ticks.push(tick);
  return { of: (value) => value / top, ticks };
}

/** The same for powers of ten from `low`. */
function logarithmic(low, high) {
  const first = Math.floor(Math.log10(low)), last = Math.max(first + 1, Math.ceil(Math.log10(high)));
  const ticks = [];
  for (let power = first; power <= last; power += last - first > 4 ? 2 : 1) ticks.push(10 ** power);
  return { of: (value) => (Math.log10(Math.max(value, 10 ** first)) - first) / (last - first), ticks };
}

class Chart {
  /**
   * `series` are { name, colour, of(past) → numbers or nulls, kind: line | area | limit }; they are stacked where the
   * chart is, as areas or as bars.
   */
  constructor({ title, note, series, stacked = null, scale = null, top = null, words = count, empty }) {
    Object.assign(this, { title, series, stacked, scale, top, words, empty });
    this.legend = element("ul", { class: "legend" });
    this.entries = series.map(({ name, colour }) => {
      const value = element("b");
      this.legend.append(element("li", { class: colour }, name + " ", value));
      return value;
    });
    this.moment = element("p", { class: "quiet" }, note || "");
    this.note = note || "";
    this.svg = drawn("svg", { height: HEIGHT, role: "img" });
    this.nothing = element("p", { class: "empty" }, empty);
    this.plot = element("div", { class: "plot", tabindex: 0, role: "group", "aria-label": title + ": arrow keys show earlier values" }, this.svg, this.nothing);
    this.node = element("div", { class: "chart" }, element("div", { class: "head" }, element("h2", {}, title), this.moment), this.legend, this.plot);
    this.plot.addEventListener("pointermove", (event) => point(this.momentAt(event)));
    this.plot.addEventListener("pointerleave", () => point(null));
    this.plot.addEventListener("blur", () => point(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    charts.push(this);
  }

  momentAt(event) {
    const box = this.plot.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    return this.from + Math.max(0, Math.min(1, share)) * (this.to - this.from);
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === "Escape") return point(null);
    if (!(event.key in steps) || !this.past || !this.past.at.length) return;
    event.preventDefault();
    const at = this.past.at;
    const place = nearest(at, cursor.at === null ? at[at.length - 1] : cursor.at) + steps[event.key];
    point(at[Math.max(0, Math.min(at.length - 1, place))]);
  }

  draw(past) {
    this.past = past;
    const at = past.at;
    this.columns = this.series.map((one) => one.of(past));
    const width = Math.max(160, this.plot.clientWidth);
    this.to = at.length ? at[at.length - 1] : 0;
    this.from = at.length ? Math.min(at[0], this.to - SPAN_MIN_S) : -SPAN_MIN_S;
    const x = (time) => LEFT + ((time - this.from) / (this.to - this.from)) * (width - LEFT - RIGHT);
    const stacks = this.stacked ? sums(this.columns) : this.columns;
    const values = stacks.flat().filter((value) => value !== null);
    this.nothing.hidden = values.some((value) => value > 0);
    const scale = this.scaleOf(values);
    const y = (value) => TOP + (1 - Math.min(1, Math.max(0, scale.of(value)))) * (HEIGHT - TOP - BOTTOM);
    this.x = x;
    const parts = this.nothing.hidden ? [...this.grid(scale, y, width), ...this.times(x, width), ...this.shapes(stacks, x, y)] : this.times(x, width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.cross = drawn("line", { class: "cross", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    this.svg.replaceChildren(...parts, this.cross);
    this.tell();
  }

  scaleOf(values) {
    const most = values.reduce((most, value) => Math.max(most, value), 0);
    if (this.scale === "log") {
      const least = values.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), most);
      return logarithmic(Math.max(1, least), Math.max(10, most));
    }
    const top = this.top || Math.max(most * 1.08, 1e-9);
    const units = new Map([[bytes, unitOfBytes(top)], [count, 1], [percent, 0.25]]);
    return linear(top, units.get(this.words) || 1e-3);
  }

  grid(scale, y, width) {
    return scale.ticks.flatMap((tick) => [
      drawn("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      drawn("text", { x: LEFT - 5, y: y(tick) + 3.5, "text-anchor": "end" }, plain(this.words(tick))),
    ]);
  }

  times(x, width) {
    const length = this.to - this.from;
    const step = [30, 60, 120, 300].find((size) => length / size <= Math.max(2, width / 90)) || 300;
    const parts = [];
    for (let ago = 0; ago <= length; ago += step) {
      const text = ago === 0 ? "now" : ago % 60 ? `−${ago} s` : `−${ago / 60} min`;
      const anchor = ago === 0 ? "end" : x(this.to - ago) < LEFT + 16 ? "start" : "middle";
      parts.push(drawn("text", { x: x(this.to - ago), y: HEIGHT - 4, "text-anchor": anchor }, text));
    }
    return parts;
  }

  shapes(stacks, x, y) {
    const floor = y(0);
    if (this.stacked === "bars") return bars(this.past.at, stacks, this.series, x, y);
    const parts = [];
    for (let number = stacks.length - 1; number >= 0; number -= 1) {
      const { colour, kind } = this.series[number];
      for (const run of runs(this.past.at, stacks[number])) {
        const points = run.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`);
        const [first, last] = [x(run[0][0]), x(run[run.length - 1][0])];
        if (this.stacked || kind === "area") {
          const below = this.stacked && number > 0 ? under(this.past.at, stacks[number - 1], run, x, y) : [`${last} ${floor}`, `${first} ${floor}`];
          parts.push(drawn("path", { class: `${this.stacked ? "solid" : "fill"} ${colour}`, d: `M${[...points, ...below].join("L")}Z` }));
        }
        if (this.stacked) continue;
        if (run.length === 1) parts.push(drawn("circle", { class: `solid ${colour}`, cx: first, cy: y(run[0][1]), r: 2 }));
        else parts.push(drawn("path", { class: `line ${colour} ${kind || ""}`, d: `M${points.join("L")}` }));
      }
    }
    return parts;
  }

  /** Writes the values of the cursor's moment, or the latest, beside their names. */
  tell() {
    const at = this.past.at;
    const place = cursor.at === null ? at.length - 1 : nearest(at, cursor.at);
    this.entries.forEach((entry, number) => {
      const value = this.columns[number][place];
      say(entry, value === undefined || value === null ? NOTHING : this.words(value));
    });
    const isShown = cursor.at !== null && at.length > 0;
    say(this.moment, isShown ? clock(at[place]) : this.note);
    this.cross.setAttribute("visibility", isShown ? "visible" : "hidden");
    if (isShown) for (const end of ["x1", "x2"]) this.cross.setAttribute(end, this.x(at[place]));
    this.svg.setAttribute("aria-label", `${this.title}: ${this.series.map(({ name }, number) => `${name} ${this.entries[number].textContent}`).join(", ")}`);
  }
}

function point(at) {
  cursor.at = at;
  for (const chart of charts) if (chart.past) chart.tell();
}

function nearest(at, time) {
  let place = at.length - 1;
  while (place > 0 && Math.abs(at[place - 1] - time) <= Math.abs(at[place] - time)) place -= 1;
  return place;
}

/** Each column with all before it added. */
function sums(columns) {
  const sum = [];
  return columns.map((column) => column.map((value, place) => (sum[place] = (sum[place] || 0) + (value || 0))));
}

/** The parts of a column without a gap: neither in the numbers nor in time. */
function runs(at, column) {
  const found = [];
  let run = [];
  at.forEach((time, place) => {
    const value = column[place];
    const isLate = run.length && time - run[run.length - 1][0] > 10;
    if ((value === null || isLate) && run.length) {
      found.push(run);
      run = [];
    }
    if (value !== null) run.push([time, value]);
  });
  if (run.length) found.push(run);
  return found;
}

/** The lower edge of a stacked run, from its end to its beginning. */
function under(at, lower, run, x, y) {
  const first = at.indexOf(run[0][0]);
  return run.map(([time], number) => `${x(time).toFixed(1)} ${y(lower[first + number]).toFixed(1)}`).reverse();
}

/** A bar for each moment at which something was. */
function bars(at, stacks, series, x, y) {
  const parts = [];
  const width = at.length > 1 ? Math.max(1, Math.min(6, (0.8 * (x(at[at.length - 1]) - x(at[0]))) / (at.length - 1))) : 3;
  at.forEach((time, place) => {
    stacks.forEach((stack, number) => {
      const below = number ? stacks[number - 1][place] : 0;
      if (stack[place] <= below) return;
      parts.push(drawn("rect", { class: `solid ${series[number].colour}`, x: x(time) - width, width, y: y(stack[place]), height: Math.max(1, y(below) - y(stack[place])) }));
    });
  });
  return parts;
}
