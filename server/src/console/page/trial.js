// A form that asks a model as any client does.

const ANSWER_SHOWN_MAX = 65536;
const DULL = ["cache-control", "pragma", "expires", "date", "content-length", "connection"];

class Trial {
  constructor() {
    this.mode = null;
    byId("trial").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    byId("trial-body").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("trial").requestSubmit();
    });
  }

  /** Takes a name from elsewhere on the page. */
  choose(name) {
    byId("trial-target").value = name;
    byId("trial-body").focus();
  }

  draw({ server, models }) {
    this.mode = server.mode;
    const isSingle = this.mode === "single-model container";
    byId("trial-target").hidden = byId("trial-target-label").hidden = isSingle;
    byId("trial-target").required = !isSingle;
    const names = models.rows.map((model) => model.name);
    const shown = [...byId("trial-names").children].map((option) => option.value);
    if (names.join("\n") !== shown.join("\n")) byId("trial-names").replaceChildren(...names.map((name) => element("option", { value: name })));
  }

  request() {
    const target = byId("trial-target").value, accept = byId("trial-accept").value, output = byId("trial-output").value;
    const headers = { "Content-Type": byId("trial-type").value };
    if (accept) headers.Accept = accept;
    if (output !== "value") headers["X-Amzn-SageMaker-Custom-Attributes"] = `output=${output}`;
    if (this.mode === "single-model container") return ["/invocations", headers];
    // The platform's own route brings models from the source, but takes names only that a header can hold.
    if (this.mode === "stand-alone" && /^[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?$/.test(target)) {
      headers["X-Amzn-SageMaker-Target-Model"] = target;
      return ["/endpoints/console/invocations", headers];
    }
    return [`/invocations?model_name=${encodeURIComponent(target)}`, headers];
  }

  async send() {
    const [path, headers] = this.request();
    const started = performance.now();
    byId("trial-send").disabled = true;
    try {
      const response = await fetch(path, { method: "POST", headers, body: byId("trial-body").value, cache: "no-store" });
      const text = await response.text();
      this.show(response, text, performance.now() - started);
    } catch (error) {
      this.tell(`No answer: ${error.message}`, false, "", []);
    } finally {
      byId("trial-send").disabled = false;
    }
  }

  show(response, text, ms) {
    const size = new TextEncoder().encode(text).length;
    const status = [String(response.status), response.statusText].filter(Boolean).join(" ");
    const shown = text.length > ANSWER_SHOWN_MAX ? `${text.slice(0, ANSWER_SHOWN_MAX)}\n… and ${count(text.length - ANSWER_SHOWN_MAX)} characters more` : text;
    const headers = [...response.headers].filter(([name]) => !DULL.includes(name));
    this.tell(`${status} · ${micros(ms * 1000)} · ${bytes(size)}`, response.ok, shown, headers);
  }

  tell(status, isGood, answer, headers) {
    byId("trial-outcome").hidden = false;
    const line = byId("trial-status");
    line.className = isGood ? "good" : "bad";
    say(line, status);
    say(byId("trial-answer"), answer);
    byId("trial-answer").hidden = answer === "";
    facts(byId("trial-headers"), headers);
  }
}
