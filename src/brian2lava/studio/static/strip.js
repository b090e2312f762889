// Numbers over cells, a row a candidate: every cell a dot, quartiles a box, the median a line.

import { digits, make } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const ROW = 34, LEFT = 112, RIGHT = 18, TOP = 6, BOTTOM = 40, DOT = 3.6;

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Round numbers between two ends: about five, on a logarithmic scale 1, 2, 5 times powers of ten. */
export function ticks(low, high, log) {
  if (log) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1; power++) {
      for (const digit of [1, 2, 5]) found.push(digit * 10 ** power);
    }
    const inside = found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return inside.length > 7 ? inside.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)) : inside;
  }
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= rough * 0.99);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(10)));
}

/** Where a cell's dot lies within its row: -1 to 1, the same each time. */
function aside(k) {
  return ((k * 0.618034) % 1) * 2 - 1;
}

export class Strip {
  constructor(host, { pick }) {
    this.host = host;
    this.pick = pick;
    this.note = make("p", { class: "caption" });
    this.place = make("div", { class: "strip" });
    host.append(this.place, this.note);
    this.watch = new ResizeObserver(() => this.data && this.place.clientWidth !== this.width && this.set(this.data));
    this.watch.observe(this.place);
  }

  /** groups: {candidate, cells, values, quartiles}; values are shown times `factor`. */
  set(data) {
    this.data = data;
    const { groups, title, factor, unit, log, ends, selected } = data;
    const all = groups.flatMap((group) => group.values).map((value) => value * factor).filter((value) => !log || value > 0);
    this.place.hidden = !all.length;
    if (!all.length) {
      this.note.textContent = "Nothing was found yet.";
      return;
    }
    this.width = this.place.clientWidth;
    const [low, high] = ends ?? padded(Math.min(...all), Math.max(...all), log);
    const width = Math.max(260, this.width), height = TOP + groups.length * ROW + BOTTOM;
    const bent = log ? Math.log : (value) => value;
    const x = (value) => LEFT + (bent(value) - bent(low)) / (bent(high) - bent(low)) * (width - LEFT - RIGHT);
    const inside = (value) => Math.max(LEFT, Math.min(width - RIGHT, x(value)));
    const parts = ticks(low, high, log).map((value) => draw("g", {},
      draw("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: TOP + groups.length * ROW }),
      text(digits(value, 4), { x: x(value), y: TOP + groups.length * ROW + 15, "text-anchor": "middle" })));
    groups.forEach((group, row) => parts.push(this.row(group, TOP + (row + 0.5) * ROW, { x, inside, factor, log, selected, unit })));
    parts.push(text(`${title}${unit ? ` (${unit})` : ""}`, { x: (LEFT + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle" }));
    const told = groups.map((group) => `${group.candidate}: ${group.values.length} cells, median ${digits(group.quartiles[1] * factor, 3)}`).join("; ");
    this.place.replaceChildren(draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title} over cells. ${told}.` }, ...parts));
    this.note.textContent = this.told(groups, factor, unit, selected);
  }

  row(group, y, { x, inside, factor, log, selected, unit }) {
    const own = draw("g", {}, text(group.candidate, { class: "name", x: LEFT - 10, y: y + 4, "text-anchor": "end" }));
    const shown = group.values.map((value) => value * factor);
    const [first, median, third] = group.quartiles.map((value) => value * factor);
    if (shown.length > 1 && (!log || first > 0)) {
      own.append(
        draw("rect", { class: "box", x: inside(first), y: y - 9, width: Math.max(1, inside(third) - inside(first)), height: 18, rx: 2 }),
        draw("line", { class: "median", x1: inside(median), x2: inside(median), y1: y - 12, y2: y + 12 }));
    }
    const last = [];
    shown.forEach((value, k) => {
      if (log && value <= 0) return;
      const cell = group.cells[k], at = [inside(value), y + aside(k) * 8];
      const title = draw("title");
      title.textContent = `${cell}, ${group.candidate}: ${digits(value, 4)} ${unit}`;
      const chosen = cell === selected;
      const shape = chosen
        ? draw("path", { class: "dot chosen", d: `M${at[0]} ${at[1] - 7}l7 7l-7 7l-7 -7z`, "data-cell": cell, click: () => this.pick(cell) }, title)
        : draw("circle", { class: "dot", cx: at[0], cy: at[1], r: DOT, "data-cell": cell, click: () => this.pick(cell) }, title);
      (chosen ? last : [own]).push(shape);
      if (!chosen) own.append(shape);
    });
    own.append(...last);
    return own;
  }

  told(groups, factor, unit, selected) {
    if (!selected) return "Each dot is a cell; the box has the middle half of them, the line the median. Click a dot to find its cell everywhere.";
    const found = groups.flatMap((group) => {
      const k = group.cells.indexOf(selected);
      return k < 0 ? [] : [`${group.candidate} ${digits(group.values[k] * factor, 3)}`];
    });
    return `◆ ${selected}: ${found.join(", ") || "nothing was found"} ${unit}`;
  }
}

function text(content, attributes) {
  const element = draw("text", attributes);
  element.textContent = content;
  return element;
}

function padded(low, high, log) {
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
  const more = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - more, high + more];
}
