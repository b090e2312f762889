// What else the neuron on the bench does: f-I curve, step, ramp, chirp, bits, time steps, phase plane.

import { current, digits, fixed, make, tabs } from "./page.js";
import { BARE, Plot, colour, line } from "./plot.js";

const NAMES = [
  ["fi", "f-I curve"], ["step", "Step"], ["ramp", "Ramp"], ["chirp", "Chirp"], ["bits", "Bits"],
  ["what_if", "What if n bits"], ["dt_scan", "Time step"], ["phase", "Phase plane"],
];
const HEIGHT = 250;

export class Explore {
  constructor(studio, host) {
    this.studio = studio;
    this.bar = make("div", { role: "tablist", "aria-label": "Explore", class: "subtabs" });
    this.place = make("div", { class: "explored" });
    this.caption = make("p", { class: "caption" });
    host.replaceChildren(this.bar, this.caption, this.place);
    this.plots = [];
    this.steady = 0.5;
    this.pick = tabs(this.bar, NAMES, (name) => this.choose(name));
  }

  choose(name) {
    this.name = name;
    this.clear();
    this.refresh();
  }

  clear() {
    for (const plot of this.plots) plot.remove();
    this.plots = [];
    this.place.replaceChildren();
    this.built = null;
  }

  async refresh() {
    const name = this.name;
    if (!name || !this.studio.about) return;
    const response = ["step", "ramp", "chirp"].includes(name);
    const given = response ? { kind: name, width: Math.min(this.place.clientWidth || 800, 2000) }
      : name === "phase" ? { current: this.steady * this.studio.reach } : {};
    const answer = await this.studio.ask(response ? "response" : name, given, { key: "explore" });
    if (!answer || this.name !== name) return;
    this[response ? "response" : name](answer.arrays, answer.header);
  }

  /** A plot that is built once for a tab, and filled again after each change. */
  plot(build) {
    if (this.built !== this.name) {
      this.clear();
      this.plots = build();
      this.built = this.name;
    }
    return this.plots;
  }

  host() {
    const host = make("div", { class: "plot" });
    this.place.append(host);
    return host;
  }

  fi(arrays) {
    const { factor, unit } = current(this.studio.about.target.unit);
    this.caption.textContent = "Spikes a second under constant current, after 0.2 s of 1 s."
      + (arrays.target ? "" : " The target is a recording: it has no f-I curve of its own.");
    const dots = { points: { show: true, size: 5 } };
    const series = [line("floating point", "real", dots), line("chip", "chip", dots)];
    if (arrays.target) series.push(line("target", "target", dots));
    const [plot] = this.plot(() => [new Plot(this.host(), { height: HEIGHT, yLabel: "rate (Hz)", xLabel: `current (${unit || "as the target's"})`, series })]);
    plot.set([arrays.current.map((v) => v * factor), arrays.real, arrays.chip, ...(arrays.target ? [arrays.target] : [])]);
  }

  response(arrays) {
    const { factor, unit } = current(this.studio.about.target.unit);
    const rate = (name) => arrays[name] ? `${arrays[name].length} ${name.split("_")[0].replace("real", "floating point")}` : null;
    this.caption.textContent = `Spikes: ${["target_spikes", "chip_spikes", "real_spikes"].map(rate).filter(Boolean).join(", ")}.`;
    const plots = this.plot(() => {
      const made = [new Plot(this.host(), {
        height: 180, yLabel: "membrane (θ)", ...BARE, series: [line("floating point", "real"), line("chip", "chip"), line("threshold", "threshold", { dash: [4, 3], width: 1 })],
      })];
      if (arrays.voltage) made.push(new Plot(this.host(), { height: 120, yLabel: "target (mV)", ...BARE, series: [line("target", "target")] }));
      made.push(new Plot(this.host(), { height: 90, yLabel: unit || "current", xLabel: "time (s)", series: [line("current", "stimulus")] }));
      return made;
    });
    plots[0].set([arrays.t, arrays.real, arrays.chip, arrays.chip_threshold]);
    if (arrays.voltage) plots[1].set([arrays.t, arrays.voltage.map((v) => v * 1e3)]);
    plots[plots.length - 1].set([arrays.t, arrays.stimulus.map((v) => v * factor)]);
  }

  bits(arrays, header) {
    this.caption.textContent = "Every register in its bits; and what one bit more or less does to Γ: held out (trained).";
    const rows = this.studio.header.registers.map((register) => this.register(register, arrays, header.names));
    const head = ["register", "value", "bits", "range", "one bit up", "one bit down"];
    this.place.replaceChildren(make("div", { class: "scroll" }, make("table", { class: "bits" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { text })))), make("tbody", {}, ...rows))));
  }

  register(register, arrays, names) {
    const k = names.indexOf(register.name);
    const change = (way) => {
      if (k < 0) return make("td", {});
      const held = arrays[`held_out_${way}`][k], train = arrays[`train_${way}`][k];
      const sign = (v) => (Number.isFinite(v) && v > 0 ? "+" : "") + fixed(v, 3);
      const cell = make("td", { text: Number.isFinite(train) ? `${sign(held)} (${sign(train)})` : "at its limit" });
      if (train > 5e-4) cell.className = "better";
      return cell;
    };
    const bits = register.whole ? this.word(register) : make("td", { class: "soft", text: "free" });
    return make("tr", {},
      make("th", { scope: "row", title: register.meaning }, make("code", { text: register.name }), make("span", { class: "soft", text: ` ${register.meaning}` })),
      make("td", { class: "figure", text: digits(register.value, 7) }), bits,
      make("td", { class: "soft", title: register.source, text: register.whole ? `${register.low} … ${register.high}`.replaceAll("-", "−") : "" }),
      change("up"), change("down"));
  }

  word({ value, low, high }) {
    const width = Math.max(1, Math.ceil(Math.log2(Math.max(high, -low) + 1)));
    const size = Math.abs(value);
    const cell = make("td", { class: "word" });
    if (low < 0) cell.append(make("i", { class: value < 0 ? "one sign" : "sign", title: "sign" }));
    for (let bit = Math.min(width, 24) - 1; bit >= 0; bit--) {
      cell.append(make("i", { class: Math.floor(size / 2 ** bit) % 2 ? "one" : "", title: `2^${bit}` }));
    }
    return cell;
  }

  what_if(arrays) {
    this.caption.textContent = "Γ if the chip had so many bits, everything else as it is: solid held out, dashed trained.";
    const kinds = ["decays", "weight", "payload"].filter((kind) => arrays[`${kind}_bits`]);
    const plots = this.plot(() => {
      const row = make("div", { class: "side-by-side" });
      this.place.append(row);
      return kinds.map((kind) => {
        const host = make("div", { class: "plot" });
        row.append(host);
        return new Plot(host, { height: HEIGHT, yLabel: "Γ", xLabel: `bits of ${kind}`, series: this.pair(), y: { range: (u, low, high) => [Math.min(0, low), Math.max(1, high)] } });
      });
    });
    kinds.forEach((kind, k) => plots[k].set([arrays[`${kind}_bits`], arrays[`${kind}_held_out`], arrays[`${kind}_train`]]));
  }

  pair() {
    const dots = { points: { show: true, size: 5 } };
    return [line("held out", "chip", dots), line("train", "chip", { dash: [4, 3], ...dots })];
  }

  dt_scan(arrays) {
    this.caption.textContent = "Γ over the chip's time step at the same physical parameters: solid held out, dashed trained. Long steps resolve time constants, short ones spike times.";
    const [plot] = this.plot(() => [new Plot(this.host(), {
      height: HEIGHT, yLabel: "Γ", xLabel: "time step (ms)", series: this.pair(), x: { distr: 3, range: (u, low, high) => [low * 0.9, high * 1.1] },
      y: { range: (u, low, high) => [Math.min(0, low), Math.max(1, high)] },
      xAxis: { splits: () => [...arrays.dt].map((v) => v * 1e3), filter: (u, splits) => splits },
    })]);
    plot.set([arrays.dt.map((v) => v * 1e3), arrays.held_out, arrays.train]);
  }

  phase(arrays, header) {
    const { factor, unit } = current(this.studio.about.target.unit);
    this.caption.textContent = "The chip's states against each other over the shown sweep, with the lines where one stands still at a steady current.";
    const colours = ["target", "held", "miss"];
    const [plot] = this.plot(() => {
      const slider = make("input", {
        type: "range", min: 0, max: 100, value: this.steady * 100, id: "steady",
        input: () => { this.steady = Number(slider.value) / 100; this.refresh(); },
      });
      this.steadyText = make("span", { class: "figure" });
      this.place.append(make("div", { class: "legend" },
        make("label", { for: "steady", text: "steady current" }), slider, this.steadyText,
        ...header.lines.map((name, k) => make("span", { class: "key" }, make("i", { class: `swatch ${colours[k]}` }), name))));
      const host = this.host();
      const hooks = { draw: [(u) => this.drawPhase(u)] };
      return [new Plot(host, { height: 360, yLabel: header.y_title, xLabel: header.x_title, series: [line("", "chip", { stroke: "transparent" })], hooks, x: { range: (u, low, high) => pad(low, high) }, y: { range: (u, low, high) => pad(low, high) } })];
    });
    this.steadyText.textContent = `${digits(this.steady * this.studio.reach * factor, 3)} ${unit}`;
    this.phaseArrays = arrays;
    this.phaseLines = header.lines.map((name, k) => [name, colours[k]]);
    const ends = ["x", "y"].map((axis) => {
      let low = Infinity, high = -Infinity;
      for (const v of arrays[axis]) { if (v < low) low = v; if (v > high) high = v; }
      for (const [name] of this.phaseLines) for (const v of arrays[`${name}_${axis}`]) {
        if (axis === "x" || Math.abs(v) < 10 * Math.max(Math.abs(low), Math.abs(high))) { low = Math.min(low, v); high = Math.max(high, v); }
      }
      return [low, high];
    });
    plot.set(ends);
  }

  drawPhase(u) {
    const arrays = this.phaseArrays;
    if (!arrays) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const path = (x, y, name, width) => {
      ctx.beginPath();
      ctx.strokeStyle = colour(name);
      ctx.lineWidth = width * devicePixelRatio;
      for (let k = 0; k < x.length; k++) ctx.lineTo(u.valToPos(x[k], "x", true), u.valToPos(y[k], "y", true));
      ctx.stroke();
    };
    path(arrays.x, arrays.y, "chip", 0.7);
    for (const [name, shade] of this.phaseLines) path(arrays[`${name}_x`], arrays[`${name}_y`], shade, 1.6);
    ctx.restore();
  }
}

function pad(low, high) {
  const more = 0.05 * (high - low) || 1;
  return [low - more, high + more];
}
