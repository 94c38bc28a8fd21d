// Numbers as people read them.

const NOTHING = "–";

function digits(number, most = 3) {
  if (number === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(number)));
  return number.toFixed(Math.max(0, Math.min(most, most - 1 - magnitude)));
}

function scaled(number, units, step) {
  let unit = 0;
  while (Math.abs(number) >= step * 0.9995 && unit < units.length - 1) {
    number /= step;
    unit += 1;
  }
  return `${digits(number)}${units[unit] ? " " + units[unit] : ""}`;
}

const bytes = (number) => (number < 1000 ? `${number} B` : scaled(number / 1024, ["KiB", "MiB", "GiB", "TiB"], 1024));

/** Without zeros at the end: for numbers that stand still. */
const plain = (text) => text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");

const count = (number) => (Number.isInteger(number) && Math.abs(number) < 100000 ? number.toLocaleString("en") : scaled(number, ["", "k", "M", "G"], 1000));

const rate = (number) => (number < 0.005 ? "0" : scaled(number, ["", "k", "M"], 1000));

const percent = (share) => (share > 0.9995 && share < 1 ? "99.9+ %" : `${share > 0 && share < 0.0005 ? "<0.1" : (share * 100).toFixed(share > 0 && share < 0.9995 ? 1 : 0)} %`);

function micros(us) {
  if (us < 1000) return `${digits(us)} µs`;
  return us < 999500 ? `${digits(us / 1000)} ms` : `${digits(us / 1e6)} s`;
}

/** A span of time, in its two greatest units. */
function span(seconds) {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 1 : 0)} s`;
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  const [size, unit] = parts[first];
  const rest = parts[first + 1];
  const whole = Math.floor(seconds / size);
  const second = rest && first < 3 ? Math.floor((seconds - whole * size) / rest[0]) : 0;
  return second && whole < 100 ? `${whole} ${unit} ${second} ${rest[1]}` : `${whole} ${unit}`;
}

const clock = (unix) => new Date(unix * 1000).toLocaleTimeString("en-GB");
