// What does not go over time: how many predictions took how long, and where the time of loads went.

const BAR = 14;

class Histogram {
  constructor(title, colour, key, empty) {
    Object.assign(this, { colour, key });
    this.told = element("p", { class: "quiet" });
    this.svg = drawn("svg", { height: HEIGHT, role: "img", "aria-label": title });
    this.nothing = element("p", { class: "empty" }, empty);
    this.plot = element("div", { class: "plot" }, this.svg, this.nothing);
    this.node = element("div", { class: "chart" }, element("div", { class: "head" }, element("h2", {}, title), this.told), this.plot);
  }

  draw(latency) {
    const counts = latency[this.key], bounds = latency.bounds_us;
    const total = counts.reduce((sum, number) => sum + number, 0);
    this.nothing.hidden = total > 0;
    say(this.told, total ? `${count(total)} in ${span(latency.span_s)}` : "");
    const width = Math.max(160, this.plot.clientWidth);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    if (!total) return this.svg.replaceChildren();
    const first = counts.findIndex((number) => number > 0);
    const last = counts.length - 1 - [...counts].reverse().findIndex((number) => number > 0);
    const from = Math.max(0, first - 1), to = Math.min(counts.length - 1, Math.max(last + 1, from + 5));
    const most = Math.max(...counts), wide = (width - 2 * RIGHT) / (to - from + 1);
    const floor = HEIGHT - BOTTOM;
    const parts = [drawn("line", { class: "grid", x1: RIGHT, x2: width - RIGHT, y1: floor, y2: floor })];
    for (let bucket = from; bucket <= to; bucket += 1) {
      const left = RIGHT + (bucket - from) * wide;
      const share = counts[bucket] / total;
      const high = counts[bucket] ? Math.max(1.5, (counts[bucket] / most) * (floor - TOP - 12)) : 0;
      const name = bucket < bounds.length ? `up to ${plain(micros(bounds[bucket]))}` : `beyond ${plain(micros(bounds[bounds.length - 1]))}`;
      parts.push(drawn("rect", { class: `solid ${this.colour}`, x: left + 1, width: Math.max(1, wide - 2), y: floor - high, height: high }, drawn("title", {}, `${name}: ${count(counts[bucket])}`)));
      const told = share < 0.0995 ? percent(share) : `${Math.round(share * 100)} %`;
      if (share > 0 && wide > told.length * 5.4) parts.push(drawn("text", { class: "value", x: left + wide / 2, y: floor - high - 3, "text-anchor": "middle" }, told));
      if (bucket < to && (wide > 44 || (bucket - from) % 2 === 0)) parts.push(drawn("text", { x: left + wide, y: HEIGHT - 4, "text-anchor": "middle" }, plain(micros(bounds[bucket]))));
    }
    this.svg.replaceChildren(...parts);
  }
}

class Steps {
  constructor() {
    this.told = element("p", { class: "quiet" });
    this.svg = drawn("svg", { height: HEIGHT + 14, role: "img", "aria-label": "Steps of loads" });
    this.nothing = element("p", { class: "empty" }, "No model has been loaded yet.");
    this.plot = element("div", { class: "plot" }, this.svg, this.nothing);
    this.node = element("div", { class: "chart" }, element("div", { class: "head" }, element("h2", {}, "Where loads take their time"), this.told), this.plot);
  }

  /** A bar for each step: its share of the time of all loads since the start. */
  draw(steps, counts) {
    const total = steps.reduce((sum, step) => sum + step.sum_us, 0);
    this.nothing.hidden = total > 0;
    say(this.told, total ? `${count(counts.loads)} loads, ${count(counts.cached_loads)} from the cache` : "");
    const width = Math.max(160, this.plot.clientWidth), left = 56, right = 250;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT + 14}`);
    if (!total) return this.svg.replaceChildren();
    this.svg.replaceChildren(...steps.flatMap((step, number) => {
      const top = 4 + number * BAR, share = step.sum_us / total;
      const told = step.count ? [percent(share), `×${count(step.count)}`, `p50 ${micros(step.p50_us)}`, `p99 ${micros(step.p99_us)}`] : ["", "", "", "never taken"];
      return [
        drawn("text", { x: left - 6, y: top + 9, "text-anchor": "end" }, step.name),
        drawn("rect", { class: "solid green", x: left, y: top, height: BAR - 4, width: Math.max(step.count ? 1 : 0, share * (width - left - right)) }),
        ...told.map((text, place) => drawn("text", { class: "value", x: width - 4 - [200, 156, 76, 0][place], y: top + 9, "text-anchor": "end" }, text)),
      ];
    }));
  }
}
