// Who left memory last, and why.

const REASONS = {
  room: { colour: "blue", words: "To make room for another: it was worth least" },
  pressure: { colour: "red", words: "The process came near its memory limit: it was worth least" },
  idle: { colour: "amber", words: "Nobody had asked for it for as long as a model may be idle" },
  unload: { colour: "violet", words: "It was told to" },
  replaced: { colour: "green", words: "What its artifact changed to took its place" },
  deleted: { colour: "muted", words: "Its artifact is no longer in the source" },
  damage: { colour: "pink", words: "Somebody cut its file in the cache short" },
};

/** How many models have left, for whatever reason. */
const departed = (left) => Object.values(left).reduce((sum, number) => sum + number, 0);

class Departures {
  constructor(choose) {
    this.choose = choose;
    this.table = byId("departures");
    const heads = [["Left", "text"], ["Model", "text"], ["Reason", "text"], ["Memory", ""], ["Requests", ""], ["Stayed", ""], ["Idle", ""]];
    this.table.tHead.append(element("tr", {}, ...heads.map(([name, kind]) => element("th", { class: kind, scope: "col" }, name))));
  }

  draw({ departures, counts }) {
    const body = rows(this.table.tBodies[0], departures.length, () => this.row());
    departures.forEach((left, number) => {
      const cells = body[number].cells, name = cells[1].firstChild, reason = cells[2].firstChild;
      say(cells[0], clock(left.at));
      say(name, left.model);
      name.title = left.model;
      say(reason, left.reason);
      const { colour, words } = Object.hasOwn(REASONS, left.reason) ? REASONS[left.reason] : { colour: "muted", words: "" };
      reason.className = `reason ${colour}`;
      reason.title = words;
      [bytes(left.bytes), count(left.requests), span(left.age_s), span(left.idle_s)].forEach((text, place) => say(cells[place + 3], text));
    });
    this.table.hidden = departures.length === 0;
    byId("departures-empty").hidden = departures.length > 0;
    const all = departed(counts.left);
    say(byId("departures-count"), all > departures.length ? `the last ${count(departures.length)} of ${count(all)}` : "");
  }

  row() {
    const name = element("button", { type: "button" });
    name.addEventListener("click", () => this.choose(name.textContent));
    const cells = ["", "", "", ""].map(() => element("td"));
    return element("tr", {}, element("td", { class: "text" }), element("td", { class: "text name" }, name), element("td", { class: "text" }, element("span")), ...cells);
  }
}
