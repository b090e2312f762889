// Choose what is to be reproduced: a model or a recording; brush spans; see how reliable it is.

import { CodeFold, current, digits, fixed, make, tell } from "./page.js";
import { EquationsForm } from "./equations.js";
import { BARE, TimeGroup, colour, line } from "./plot.js";

const ROW = 9;

export class TargetView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "target");
    this.equations = new EquationsForm(studio, (answer) => this.chosen(answer));
    this.element = make("div", { class: "columns" },
      make("aside", { class: "panel", "aria-label": "Choose a target" }, this.makeDrop(), this.makeModel(), this.equations.element),
      make("div", { class: "stage" }, this.makeOverview(), this.code.element));
    this.kind = "train";
    this.sweep = 0;
  }

  // --- a recording -------------------------------------------------------------------------------
  makeDrop() {
    const field = (id, title, unit, placeholder) => {
      const input = make("input", { type: "text", id, inputmode: "decimal", placeholder });
      return [input, [make("label", { for: id, text: title }), make("span", { class: "row" }, input, unit)]];
    };
    this.file = make("input", { type: "file", id: "file", accept: ".csv,.txt,.tsv,.dat,.npz,.mat,.nwb,.abf", change: () => this.upload(this.file.files[0]) });
    const [dt, dtRow] = field("file-dt", "Time step", "ms", "as in the file");
    const [threshold, thresholdRow] = field("file-threshold", "Spikes cross", "mV", "0");
    const unit = (name, values) => make("select", { id: `unit-${name}` }, make("option", { value: "", text: "as in the file" }), ...values.map((text) => make("option", { value: text, text })));
    this.fileOptions = { dt, threshold, time: unit("time", ["s", "ms", "us"]), current: unit("current", ["A", "nA", "pA", "1"]), voltage: unit("voltage", ["V", "mV"]) };
    const zone = make("label", { class: "drop", for: "file" },
      make("b", { text: "Drop a recording here" }),
      make("span", { class: "soft", text: "CSV, NPZ or MAT with current, and voltage or spike times; NWB and ABF with the extras of those names. 255 MiB at most." }),
      this.file);
    for (const name of ["dragover", "dragenter"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.upload(event.dataTransfer.files[0]);
    });
    return make("section", {}, make("h2", { text: "A recording" }), zone,
      make("details", {}, make("summary", { text: "Where the file does not say" }),
        make("div", { class: "options" }, ...dtRow, ...thresholdRow,
          ...["time", "current", "voltage"].flatMap((name) => [make("label", { for: `unit-${name}`, text: `Unit of ${name}` }), this.fileOptions[name]]))));
  }

  async upload(file) {
    if (!file) return;
    const { dt, threshold, time, current: amperes, voltage } = this.fileOptions;
    const number = (input, factor) => (input.value.trim() === "" ? null : Number(input.value.replace(",", ".")) * factor);
    const data = new Uint8Array(await file.arrayBuffer());
    const answer = await this.studio.ask("from_file", {
      name: file.name, width: 1200, dt: number(dt, 1e-3), spike_threshold: number(threshold, 1e-3),
      units: { time: time.value, current: amperes.value, voltage: voltage.value },
    }, { arrays: { file: data } });
    this.file.value = "";
    if (answer) this.chosen(answer);
  }

  // --- a model -----------------------------------------------------------------------------------
  makeModel() {
    this.model = make("select", { id: "model", change: () => this.showModel() });
    this.pattern = make("select", { id: "pattern" });
    this.stimulus = make("select", { id: "model-stimulus", change: () => this.showNoise() },
      make("option", { value: "", text: "the model's own" }), make("option", { value: "noise", text: "noise" }));
    this.noise = Object.fromEntries([["mean", 0.4], ["sigma", 0.2], ["tau", 10], ["duration", 3], ["seed", 1]].map(
      ([name, value]) => [name, make("input", { type: "text", inputmode: "decimal", id: `noise-${name}`, value })]));
    this.noiseUnits = { mean: make("span"), sigma: make("span"), tau: "ms", duration: "s", seed: "" };
    this.noiseRows = make("div", { class: "options" }, ...Object.entries(this.noise).flatMap(([name, input]) => [
      make("label", { for: `noise-${name}`, text: name }), make("span", { class: "row" }, input, this.noiseUnits[name])]));
    this.step = make("select", { id: "model-dt" }, ...[0.05, 0.1, 0.2, 0.5, 1].map((ms) => make("option", { value: ms / 1e3, text: `${ms} ms` })));
    this.step.value = "0.0002";
    this.values = make("div", { class: "options" });
    this.modelText = make("p", { class: "soft about" });
    return make("section", {}, make("h2", { text: "A model" }),
      make("div", { class: "options" },
        make("label", { for: "model", text: "Model" }), this.model,
        make("label", { for: "pattern", text: "Firing pattern" }), this.pattern,
        make("label", { for: "model-stimulus", text: "Stimulus" }), this.stimulus,
        make("label", { for: "model-dt", text: "Time step" }), this.step),
      this.noiseRows,
      make("details", {}, make("summary", { text: "Parameters (SI units)" }), this.values),
      make("button", { class: "main", id: "use-model", text: "Use this model", click: () => this.useModel() }), this.modelText);
  }

  showModel() {
    const model = this.models.find((each) => each.name === this.model.value);
    this.pattern.replaceChildren(make("option", { value: "", text: model.patterns.length ? "none" : "no patterns" }), ...model.patterns.map((name) => make("option", { value: name, text: name })));
    this.pattern.disabled = !model.patterns.length;
    this.values.replaceChildren(...Object.entries(model.parameters).flatMap(([name, { value, unit }]) => {
      const input = make("input", { type: "text", id: `value-${name}`, value, "data-default": value, "data-name": name });
      return [make("label", { for: `value-${name}`, text: name }), make("span", { class: "row" }, input, make("span", { class: "soft", text: unit }))];
    }));
    this.modelText.textContent = model.source;
    this.unit = current(model.unit === "amp" ? "A" : model.unit);
    for (const name of ["mean", "sigma"]) this.noiseUnits[name].textContent = this.unit.unit;
    this.showNoise();
  }

  showNoise() {
    this.noiseRows.hidden = this.stimulus.value !== "noise";
  }

  async useModel() {
    const number = (input, factor = 1) => Number(input.value.replace(",", ".")) / factor;
    const { mean, sigma, tau, duration, seed } = this.noise;
    const noise = this.stimulus.value === "noise" ? {
      mean: number(mean, this.unit.factor), sigma: number(sigma, this.unit.factor), tau: number(tau, 1e3),
      duration: number(duration), seed: Math.round(number(seed)),
    } : null;
    const parameters = {};
    for (const input of this.values.querySelectorAll("input")) {
      if (input.value !== input.dataset.default) parameters[input.dataset.name] = Number(input.value);
    }
    const answer = await this.studio.ask("from_model", {
      model: this.model.value, pattern: this.pattern.value || null, parameters, noise, dt: Number(this.step.value), width: 1200,
    });
    if (answer) this.chosen(answer);
  }

  chosen(answer) {
    this.studio.show(answer);
    this.entered();
    tell(`${answer.header.target.name} is the target now.`, "note");
  }

  // --- what it looks like ------------------------------------------------------------------------
  makeOverview() {
    this.title = make("h2", {});
    this.facts = make("div", { class: "facts" });
    this.source = make("p", { class: "soft" });
    this.sweeps = make("select", { id: "target-sweep", "aria-label": "Sweep", change: () => { this.sweep = Number(this.sweeps.value); this.look(); } });
    const brush = (kind, text) => make("button", {
      class: "small", "data-kind": kind, "aria-pressed": "false", text, click: () => this.brushWith(kind),
    });
    this.brushes = [brush("train", "Brush what is trained"), brush("held_out", "Brush what is held out")];
    this.spanList = make("div", { class: "row spans" });
    this.hosts = Object.fromEntries(["current", "voltage", "spikes"].map((name) => [name, make("div", { class: "plot", "data-plot": `target-${name}` })]));
    this.reliability = make("table", { class: "reliability" });
    return make("div", {}, this.title, this.facts, make("details", { class: "code" }, make("summary", { text: "Where it is from" }), this.source),
      make("div", { class: "row" }, this.sweeps, ...this.brushes,
        make("button", { class: "small", text: "Two thirds, one third", click: () => this.thirds() }),
        make("span", { class: "soft", text: "Drag over a plot; a span of the other kind gives way." })),
      this.spanList, ...Object.values(this.hosts), make("div", { class: "scroll" }, this.reliability));
  }

  brushWith(kind) {
    this.kind = kind;
    for (const button of this.brushes) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  }

  thirds() {
    const end = this.studio.about.target.duration;
    this.setSpans([[0, end * 2 / 3]], [[end * 2 / 3, end]]);
  }

  async setSpans(train, held_out) {
    if (!train.length) {
      tell("Nothing would be left to train on; brush a training span first.");
      return;
    }
    const answer = await this.studio.ask("spans", { train, held_out, width: 1200 });
    if (!answer) return;
    this.studio.show(answer);
    this.look();
  }

  brushed([from, to]) {
    const end = this.studio.about.target.duration;
    const span = [Math.max(0, from), Math.min(end, to)];
    const other = this.kind === "train" ? "held_out" : "train";
    const target = this.studio.about.target;
    const kept = target[other].flatMap((each) => without(each, span));
    const own = merged([...target[this.kind], span]);
    this.setSpans(...(this.kind === "train" ? [own, kept] : [kept, own]));
  }

  removeSpan(kind, k) {
    const { train, held_out } = this.studio.about.target;
    const lists = { train: [...train], held_out: [...held_out] };
    lists[kind].splice(k, 1);
    this.setSpans(lists.train, lists.held_out);
  }

  showSpans(target) {
    const names = { train: "trained", held_out: "held out" };
    this.spanList.replaceChildren(...["train", "held_out"].flatMap((kind) => target[kind].map(([a, b], k) => make("span", { class: `span ${kind}` },
      `${names[kind]} ${digits(a)} – ${digits(b)} s`,
      make("button", { class: "plain", "aria-label": `Remove the span ${digits(a)} to ${digits(b)} s`, text: "×", click: () => this.removeSpan(kind, k) })))));
  }

  async look() {
    const answer = await this.studio.ask("overview", { sweep: this.sweep, width: this.hosts.current.clientWidth || 900 }, { key: "overview" });
    if (!answer) return;
    const { header, arrays } = answer;
    const target = this.studio.about.target;
    const { factor, unit } = current(target.unit);
    const { current: amperes, voltage } = header.range;
    this.title.textContent = target.name;
    const facts = [
      ["current", `${digits(amperes[0] * factor, 3)} to ${digits(amperes[1] * factor, 3)} ${unit || "(no unit)"}`],
      ["voltage", voltage ? `${digits(voltage[0] * 1e3, 3)} to ${digits(voltage[1] * 1e3, 3)} mV` : "none"],
      ["time step", `${digits(target.dt * 1e3)} ms`], ["samples", String(target.steps[this.sweep])],
      ["duration", `${digits(target.steps[this.sweep] * target.dt)} s`], ["repeats", String(header.repeats)],
    ];
    this.source.textContent = target.source || "given from Python";
    this.facts.replaceChildren(...facts.map(([name, value]) => make("span", {}, make("span", { class: "soft", text: `${name} ` }), value)));
    this.showSpans(target);
    this.draw(arrays, header, target, factor, unit);
    this.showReliability(header.kinds);
  }

  draw(arrays, header, target, factor, unit) {
    this.group?.remove();
    this.group = new TimeGroup({ onRange: (range) => range && this.brushed(range) });
    this.group.full = [0, target.steps[this.sweep] * target.dt];
    this.group.spans = { train: target.train, held_out: target.held_out };
    this.group.zoom = (range) => range && this.brushed(range);
    const plot = (host, options) => this.group.add(this.hosts[host], options);
    plot("current", { height: 130, ...BARE, yLabel: `current${unit ? ` (${unit})` : ""}`, series: [line("current", "stimulus")] })
      .set([arrays.t, arrays.current.map((v) => v * factor)]);
    this.hosts.voltage.hidden = !arrays.voltage;
    if (arrays.voltage) plot("voltage", { height: 150, yLabel: "voltage (mV)", ...(header.repeats ? BARE : { xLabel: "time (s)" }), series: [line("voltage", "target")] }).set([arrays.t, arrays.voltage.map((v) => v * 1e3)]);
    const rows = Math.min(header.repeats, 40);
    this.hosts.spikes.hidden = !rows;
    if (!rows) return;
    plot("spikes", {
      height: 50 + Math.max(24, rows * ROW), yLabel: rows > 5 ? "repeats" : "", xLabel: "time (s)", series: [line("", "target", { stroke: "transparent" })], y: { range: [0, rows] },
      yAxis: { size: rows > 5 ? 52 : 68, values: () => [], splits: () => [], grid: { show: false } },
      hooks: { draw: [(u) => raster(u, arrays, rows)] },
    }).set([this.group.full, [0, 0]]);
  }

  showReliability(kinds) {
    const names = { train: "trained", held_out: "held out" };
    this.reliability.replaceChildren(
      make("thead", {}, make("tr", {}, ...["", "seconds", "spikes", "reliability at 2 ms", "at 4 ms", ""].map((text) => make("th", { text })))),
      make("tbody", {}, ...Object.entries(kinds).map(([kind, found]) => make("tr", {},
        make("th", { scope: "row", text: names[kind] }), make("td", { text: digits(found.seconds) }), make("td", { text: digits(found.spikes) }),
        ...[0, 1].map((k) => make("td", { text: fixed(found.reliability?.[k], 3) })), make("td", { class: "soft wrap", text: found.why ?? "" })))));
  }

  begin() {
    this.sweep = 0;
    const target = this.studio.about.target;
    this.sweeps.replaceChildren(...target.steps.map((n, k) => make("option", { value: k, text: `sweep ${k + 1} of ${target.sweeps}` })));
    this.sweeps.hidden = target.sweeps < 2;
  }

  async entered() {
    if (!this.models) {
      const answer = await this.studio.ask("models", {});
      if (!answer) return;
      this.models = answer.header.models;
      this.model.replaceChildren(...this.models.map((each) => make("option", { value: each.name, text: each.name })));
      const { origin } = answer.header;
      if (origin?.model) this.model.value = origin.model;
      this.showModel();
      if (origin?.pattern) this.pattern.value = origin.pattern;
      this.brushWith("train");
    }
    this.equations.fill();
    this.look();
    this.code.refresh();
  }
}

function raster(u, arrays, rows) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour("target");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  const height = bbox.height / rows;
  for (let r = 0; r < rows; r++) {
    for (const time of arrays[`spikes${r}`] ?? []) {
      const x = u.valToPos(time, "x", true);
      ctx.moveTo(x, bbox.top + (r + 0.15) * height);
      ctx.lineTo(x, bbox.top + (r + 0.85) * height);
    }
  }
  ctx.stroke();
  ctx.restore();
}

/** A span less another: none, one or two. */
function without([a, b], [from, to]) {
  return [[a, Math.min(b, from)], [Math.max(a, to), b]].filter(([start, stop]) => stop - start > 1e-9);
}

function merged(spans) {
  const sorted = [...spans].sort((x, y) => x[0] - y[0]);
  const found = [sorted[0].slice()];
  for (const [a, b] of sorted.slice(1)) {
    const last = found[found.length - 1];
    if (a <= last[1] + 1e-9) last[1] = Math.max(last[1], b);
    else found.push([a, b]);
  }
  return found;
}
