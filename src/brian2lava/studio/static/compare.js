// Why the winner won: ranking, spikes of all, one spike from near, what single bits do.

import { CodeFold, digits, fixed, make } from "./page.js";
import { BARE, Plot, TimeGroup, colour, line } from "./plot.js";

const ROW = 22;

export class CompareView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "compare");
    this.table = make("div", { class: "scroll" });
    this.raster = make("div", { class: "plot", "data-plot": "raster" });
    this.near = make("div", { class: "near" });
    this.nearText = make("p", { class: "caption", text: "Click near a spike above to look at it; the arrows go to the next one that is missed or extra." });
    this.bits = make("div", { class: "scroll" });
    this.bitsTitle = make("h2", { text: "What one bit does" });
    this.empty = make("p", { class: "soft", text: "Nothing to compare yet: fit some candidates first." });
    this.full = make("div", { class: "stage" },
      make("div", {}, make("h2", { text: "Ranking by what was held out" }), this.table),
      make("div", {}, make("h2", { text: "Spikes" }),
        make("div", { class: "legend" }, ...[["hit", "hit"], ["miss", "missed"], ["extra", "extra"]].map(([name, text]) => make("span", { class: "key" }, make("i", { class: `swatch ${name}` }), text)),
          make("span", { text: "Drag to zoom, double-click to see all." })),
        this.raster),
      make("div", {}, make("h2", { text: "A spike from near" }),
        make("div", { class: "row" }, make("button", { class: "small", id: "previous-error", text: "← previous error", click: () => this.jump(-1) }),
          make("button", { class: "small", id: "next-error", text: "next error →", click: () => this.jump(1) })),
        this.nearText, this.near),
      make("div", {}, this.bitsTitle, this.bits));
    this.element = make("div", { class: "single" }, this.empty, this.full, this.code.element);
    this.group = new TimeGroup({ onRange: () => this.plot?.set(this.frame()) });
  }

  async entered() {
    const answer = await this.studio.ask("compare", {}, { key: "compare" });
    if (!answer) return;
    const { header, arrays } = answer;
    this.empty.hidden = header.rows.length > 0;
    this.full.hidden = !header.rows.length;
    this.code.refresh();
    if (!header.rows.length) return;
    this.rows = header.rows;
    this.arrays = arrays;
    this.duration = header.duration;
    if (!this.rows.some((row) => row.candidate === this.name)) this.name = this.rows[0].candidate;
    this.group.full = [0, header.duration];
    this.group.spans = { train: header.train, held_out: header.held_out };
    this.showTable();
    this.showRaster();
    this.select(this.name);
  }

  showTable() {
    const best = this.rows[0].held_out;
    const head = ["", "candidate", "Γ held out", "mean ± spread of seeds", "Γ trained", "behind the best", "precision", "recall", "parameters", "wrapped, saturated", "process", ""];
    this.table.replaceChildren(make("table", { class: "choice" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { text })))),
      make("tbody", {}, ...this.rows.map((row, k) => {
        const bar = make("meter", { min: 0, max: 1, value: Math.max(0, row.held_out ?? 0), "aria-label": `Γ of ${row.candidate}` });
        return make("tr", { "data-candidate": row.candidate, click: () => this.select(row.candidate) },
          make("td", { class: "figure", text: k + 1 }),
          make("th", { scope: "row", title: row.title }, make("button", { class: "link", text: row.candidate })),
          make("td", { class: "figure" }, `${fixed(row.held_out, 3)} `, bar),
          make("td", { class: "figure", text: `${fixed(row.held_out_mean, 3)} ± ${fixed(row.held_out_spread, 3)}` }),
          make("td", { class: "figure", text: fixed(row.train, 3) }), make("td", { class: "figure", text: k ? fixed(best - row.held_out, 3) : "" }),
          make("td", { class: "figure", text: fixed(row.precision, 2) }), make("td", { class: "figure", text: fixed(row.recall, 2) }),
          make("td", { class: "figure", text: row.parameters }),
          make("td", { class: "figure", text: Object.values(row.counters).reduce((sum, n) => sum + n, 0) }),
          make("td", { text: row.stock ? "Lava's" : "ours" }),
          make("td", {}, make("button", { class: "small", text: "Tune", click: () => this.studio.views.get("fit").adopt(row.candidate) })));
      }))));
  }

  frame() {
    return [this.group.range ?? this.group.full, [0, 0]];
  }

  showRaster() {
    this.group.remove();
    const names = this.rows.map((row) => row.candidate);
    const rows = names.length + (this.arrays.target ? 1 : 0);
    this.plot = this.group.add(this.raster, {
      height: 48 + rows * ROW, xLabel: "time (s)", series: [line("", "target", { stroke: "transparent" })], y: { range: [0, rows] },
      yAxis: {
        size: 96, splits: () => Array.from({ length: rows }, (_, k) => k + 0.5), grid: { show: false }, ticks: { show: false },
        values: () => [...names].reverse().concat(this.arrays.target ? ["target"] : []),
      },
      hooks: { draw: [(u) => this.drawRaster(u, names, rows)] },
    });
    this.plot.set(this.frame());
    this.plot.u.over.addEventListener("click", (event) => this.clicked(event, names, rows));
  }

  clicked(event, names, rows) {
    const u = this.plot.u;
    const box = u.over.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / (box.height / rows)) - (this.arrays.target ? 1 : 0);
    if (row >= 0 && names[row]) this.select(names[row], false);
    this.inspect(u.posToVal(event.clientX - box.left, "x"));
  }

  drawRaster(u, names, rows) {
    const { ctx, bbox } = u;
    const height = bbox.height / rows, size = 2.5 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const draw = (times, row, name, flags, wanted, crossed) => {
      ctx.beginPath();
      ctx.strokeStyle = colour(name);
      ctx.lineWidth = 1.2 * devicePixelRatio;
      const top = bbox.top + (row + 0.15) * height, bottom = top + 0.7 * height;
      times.forEach((time, k) => {
        if (flags && flags[k] !== wanted) return;
        const x = u.valToPos(time, "x", true);
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
        if (crossed) { ctx.moveTo(x - size, top); ctx.lineTo(x + size, top + 2 * size); ctx.moveTo(x + size, top); ctx.lineTo(x - size, top + 2 * size); }
      });
      ctx.stroke();
    };
    const first = this.arrays.target ? 1 : 0;
    if (first) {
      const missed = this.arrays[`${this.name}_missed`];
      draw(this.arrays.target, 0, "hit", missed, 0);
      draw(this.arrays.target, 0, "miss", missed, 1, true);
    }
    names.forEach((name, k) => {
      const times = this.arrays[`${name}_spikes`], extra = this.arrays[`${name}_extra`];
      if (name === this.name) {
        ctx.fillStyle = colour("well");
        ctx.globalAlpha = 0.6;
        ctx.fillRect(bbox.left, bbox.top + (k + first) * height, bbox.width, height);
        ctx.globalAlpha = 1;
      }
      draw(times, k + first, extra ? "hit" : "chip", extra, 0);
      if (extra) draw(times, k + first, "extra", extra, 1, true);
    });
    ctx.restore();
  }

  async select(name, look = true) {
    this.name = name;
    for (const row of this.table.querySelectorAll("tbody tr")) row.classList.toggle("selected", row.dataset.candidate === name);
    this.plot.redraw();
    if (look) this.jump(1, true);
    const answer = await this.studio.ask("sensitivity", { name }, { key: "sensitivity" });
    if (answer && answer.header.name === this.name) this.showBits(answer);
  }

  errors() {
    const missed = this.arrays[`${this.name}_missed`], extra = this.arrays[`${this.name}_extra`];
    if (!missed) return [];
    const wrong = (times, flags) => [...times].filter((_, k) => flags[k]);
    return [...wrong(this.arrays.target, missed), ...wrong(this.arrays[`${this.name}_spikes`], extra)].sort((a, b) => a - b);
  }

  jump(step, first = false) {
    const errors = this.errors();
    if (!errors.length) {
      this.nearText.textContent = `${this.name}: no spike is missed and none is extra.`;
      if (this.arrays.target?.length) this.inspect(this.arrays.target[0]);
      return;
    }
    const at = first ? -1 : this.at ?? -1;
    const next = step > 0 ? errors.find((t) => t > at + 1e-9) ?? errors[0] : [...errors].reverse().find((t) => t < at - 1e-9) ?? errors[errors.length - 1];
    this.inspect(next);
  }

  async inspect(time) {
    this.at = time;
    const answer = await this.studio.ask("inspect", { name: this.name, time }, { key: "inspect" });
    if (!answer) return;
    const { header, arrays } = answer;
    const what = this.errors().some((t) => Math.abs(t - time) < 1e-9)
      ? ([...(this.arrays.target ?? [])].includes(time) ? "is missed" : "is extra") : "";
    this.nearText.textContent = `${this.name}, ${fixed(time, 4)} s${what ? `: this spike ${what}` : ""}. `
      + (what === "is extra" ? this.lonely(time) : header.distance === null ? "" : header.distance > 0 ? `The membrane stays ${digits(header.distance, 3)} θ below its threshold within the window.` : "The membrane passes its threshold within the window.");
    for (const plot of this.nearPlots ?? []) plot.remove();
    this.near.replaceChildren();
    const host = () => { const element = make("div", { class: "plot" }); this.near.append(element); return element; };
    const mark = { draw: [(u) => this.mark(u, time)] };
    const membrane = new Plot(host(), { height: 170, yLabel: "membrane (θ)", ...(arrays.voltage ? BARE : { xLabel: "time (s)" }), hooks: mark, series: [line("membrane", "chip"), line("threshold", "threshold", { dash: [4, 3] })] });
    membrane.set([arrays.t, arrays.membrane, arrays.threshold]);
    this.nearPlots = [membrane];
    if (arrays.voltage) {
      const voltage = new Plot(host(), { height: 140, yLabel: "target (mV)", xLabel: "time (s)", hooks: mark, series: [line("target", "target")] });
      voltage.set([arrays.t, arrays.voltage.map((v) => v * 1e3)]);
      this.nearPlots.push(voltage);
    }
  }

  lonely(time) {
    const distance = Math.min(...[...(this.arrays.target ?? [])].map((t) => Math.abs(t - time)));
    return `The target's nearest spike is ${digits(distance * 1e3, 3)} ms away.`;
  }

  mark(u, time) {
    const { ctx, bbox } = u, x = u.valToPos(time, "x", true);
    ctx.save();
    ctx.strokeStyle = colour("miss");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  showBits({ header, arrays }) {
    this.bitsTitle.textContent = `What one bit does to ${this.name}`;
    const sign = (v) => (v === null || !Number.isFinite(v) ? "at its limit" : (v > 0 ? "+" : "") + fixed(v, 3));
    this.bits.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...["register", "Γ held out, one up", "one down", "Γ trained, one up", "one down"].map((text) => make("th", { text })))),
      make("tbody", {}, ...header.names.map((name, k) => make("tr", {}, make("th", { scope: "row" }, make("code", { text: name })),
        ...["held_out_up", "held_out_down", "train_up", "train_down"].map((each) => make("td", { class: arrays[each][k] > 5e-4 ? "figure better" : "figure", text: sign(arrays[each][k]) })))))));
  }
}
