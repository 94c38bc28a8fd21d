// The models in memory: the server sorts, filters and cuts, the page shows what it gets.

const LIMIT = 25;
const COLUMNS = [
  ["name", "Model", "ascending", "text", "Choose it for a trial"],
  ["runtime", "Runs on", "ascending", "text runtime", "What runs it"],
  ["bytes", "Memory", "descending", "", "What comes back when it leaves"],
  ["since", "There for", "ascending", "", "How long it has been in memory"],
  ["requests", "Requests", "descending", "", "Since it came into memory"],
  ["popularity", "Popularity", "descending", "", "Requests over all its stays, recent ones counting more"],
  ["worth", "Worth", "descending", "worth", "Popularity times what its return would take, for each byte, beside the best"],
  ["idle", "Idle", "descending", "", "For how long nobody has asked for it"],
  ["leaving", "Leaves", "ascending", "", "Its place among those that would leave to make room"],
];

class Models {
  constructor(changed, choose) {
    Object.assign(this, { changed, choose, sort: "popularity", order: "descending", offset: 0, filter: "" });
    this.table = byId("models");
    this.heads = COLUMNS.map(([key, name, order, kind, hint]) => {
      const button = element("button", { type: "button", title: hint }, name);
      button.addEventListener("click", () => this.sortBy(key, order));
      return element("th", { class: kind, scope: "col" }, button);
    });
    this.table.tHead.append(element("tr", {}, ...this.heads));
    byId("models-back").addEventListener("click", () => this.turn(-LIMIT));
    byId("models-on").addEventListener("click", () => this.turn(LIMIT));
    byId("models-filter").addEventListener("submit", (event) => event.preventDefault());
    byId("filter").addEventListener("input", (event) => {
      this.filter = event.target.value;
      this.offset = 0;
      this.changed();
    });
  }

  sortBy(key, order) {
    const other = this.order === "ascending" ? "descending" : "ascending";
    this.order = this.sort === key ? other : order;
    this.sort = key;
    this.offset = 0;
    this.changed();
  }

  turn(by) {
    this.offset = Math.max(0, this.offset + by);
    this.changed();
  }

  query() {
    // Those that came last have been there for the least time.
    const isTurned = this.sort === "since";
    const order = isTurned === (this.order === "ascending") ? "descending" : "ascending";
    return { sort: this.sort, order, filter: this.filter, offset: this.offset, limit: LIMIT };
  }

  draw({ models, server }) {
    if (models.offset > 0 && models.offset >= models.matching) {
      this.offset = Math.floor(Math.max(0, models.matching - 1) / LIMIT) * LIMIT;
      this.changed();
      return;
    }
    this.heads.forEach((head, number) => {
      if (COLUMNS[number][0] === this.sort) head.setAttribute("aria-sort", this.order);
      else head.removeAttribute("aria-sort");
    });
    const body = rows(this.table.tBodies[0], models.rows.length, () => this.row());
    models.rows.forEach((model, number) => this.write(body[number].cells, model, server));
    this.table.hidden = models.rows.length === 0;
    this.told(models);
  }

  row() {
    const name = element("button", { type: "button" });
    name.addEventListener("click", () => this.choose(name.textContent));
    const cells = COLUMNS.slice(1).map(([, , , kind]) => element("td", { class: kind }));
    cells[5].append(element("span", { class: "share" }, element("i")), element("b"));
    return element("tr", {}, element("td", { class: "text name" }, name), ...cells);
  }

  write(cells, model, server) {
    const name = cells[0].firstChild;
    say(name, model.name);
    name.title = model.name;
    say(cells[1], model.runtime);
    say(cells[2], bytes(model.bytes));
    const age = Math.max(0, server.now - model.since);
    say(cells[3], span(age));
    say(cells[4], count(model.requests));
    say(cells[5], model.popularity >= 100 ? count(Math.round(model.popularity)) : model.popularity.toFixed(1));
    cells[6].firstChild.firstChild.style.width = `${model.worth * 100}%`;
    say(cells[6].lastChild, percent(model.worth));
    say(cells[7], span(model.idle_s));
    const stay = Math.max(0, server.residency_min_s - age);
    const isNext = model.leave_before === 0;
    const place = model.is_pinned ? "never: pinned" : model.is_new ? `new, ${span(Math.ceil(stay))}` : isNext ? "next" : `after ${count(model.leave_before)}`;
    say(cells[8], place);
    cells[8].className = isNext ? "next" : model.is_pinned || model.is_new ? "stays" : "";
    cells[8].title = model.is_new ? `It stays while others can leave; ${count(model.leave_before)} would leave before it` : "";
  }

  told({ total, matching, offset, rows: { length } }) {
    say(byId("models-count"), this.filter ? `${count(matching)} of ${count(total)}` : count(total));
    const empty = byId("models-empty");
    empty.hidden = length > 0;
    say(empty, total === 0 ? "No model is in memory. The first request for one brings it." : `No model in memory has “${this.filter}” in its name.`);
    byId("models-back").disabled = offset === 0;
    byId("models-on").disabled = offset + length >= matching;
    say(byId("models-page"), length ? `${count(offset + 1)} to ${count(offset + length)} of ${count(matching)}` : "");
    byId("models-back").parentNode.hidden = matching <= LIMIT;
  }
}
