// The best trace of a fit by now, drawn anew when it changes, once a second at most.

import { digits, fixed, make } from "./page.js";
import { BARE, TimeGroup, line } from "./plot.js";
import { SPIKE_AXIS, drawSpikes } from "./spikes.js";

const PAUSE = 1000;

export class BestTrace {
  /** `shown()`: whether anybody can see it; what nobody sees is not asked for. */
  constructor(studio, shown) {
    this.studio = studio;
    this.shown = shown;
    this.bests = [];
    this.askedAt = -Infinity;
    this.choice = make("select", { id: "best-of", change: () => this.wish(true) });
    this.caption = make("p", { class: "caption", id: "best-caption", role: "status" });
    const key = (name, text) => make("span", { class: "key" }, make("i", { class: `swatch ${name}` }), text);
    this.legend = make("div", { class: "legend" }, key("target", "target"), key("chip", "chip"), key("threshold", "threshold"),
      key("hit", "hit"), key("miss", "missed"), key("extra", "extra"), key("train", "trained"), key("held", "held out"));
    this.hosts = Object.fromEntries(["voltage", "membrane", "spikes"].map((name) => [name, make("div", { class: "plot", "data-plot": `best-${name}` })]));
    this.element = make("div", { id: "best", hidden: true },
      make("h2", { text: "Best so far" }),
      make("div", { class: "row" }, make("label", { for: "best-of", text: "Of" }), this.choice),
      this.caption, this.legend, ...Object.values(this.hosts));
    this.arrays = {};
  }

  build() {
    this.group = new TimeGroup({ onRange: () => this.wish(true) });
    const { voltage, membrane, spikes } = this.hosts;
    this.voltage = this.group.add(voltage, { height: 100, yLabel: "target (mV)", ...BARE, series: [line("target", "target")] });
    this.membrane = this.group.add(membrane, {
      height: 140, yLabel: "membrane (θ)", ...BARE, series: [line("chip", "chip"), line("threshold", "threshold", { dash: [4, 3], width: 1 })],
    });
    this.spikes = this.group.add(spikes, {
      height: 84, yLabel: "", xLabel: "time (s)", series: [line("", "target", { show: true, stroke: "transparent" })],
      y: { range: [0, 2] }, yAxis: SPIKE_AXIS, hooks: { draw: [(u) => drawSpikes(u, this.arrays)] },
    });
  }

  /** What leads by now, as the report of the fit has it. */
  know(bests) {
    this.element.hidden = !bests.length;
    const names = bests.map(({ candidate }) => candidate).sort();
    if (this.names !== names.join()) {
      this.names = names.join();
      const before = this.choice.value;
      this.choice.replaceChildren(make("option", { value: "", text: "whichever leads" }), ...names.map((name) => make("option", { value: name, text: name })));
      this.choice.value = names.includes(before) ? before : "";
    }
    this.bests = bests;
    this.wish();
  }

  /** Ask where what is drawn is no longer the best; `anew`: in any case, and at once. */
  wish(anew = false) {
    const now = this.choice.value ? this.bests.find(({ candidate }) => candidate === this.choice.value) : this.bests[0];
    if (!now || !this.shown()) return;
    const what = `${now.candidate} ${now.loss}`;
    if (!anew && what === this.drawn) return;
    clearTimeout(this.timer);
    const wait = anew ? 0 : Math.max(0, this.askedAt + PAUSE - performance.now());
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    if (!this.shown()) return;
    this.askedAt = performance.now();
    const [start, stop] = this.group?.range ?? [];
    const width = Math.round(this.hosts.membrane.clientWidth * Math.min(devicePixelRatio, 2)) || 800;
    const answer = await this.studio.ask("fit_best", { name: this.choice.value, start, stop, width }, { key: "fit best" });
    if (answer?.header.best) this.draw(answer.header.best, answer.arrays);
  }

  draw(best, arrays) {
    if (!this.group) this.build();
    const { group } = this;
    if (group.full[1] !== best.shown) group.range = null;
    group.full = [0, best.shown];
    group.spans = { train: best.train, held_out: best.held_out };
    this.drawn = `${best.candidate} ${best.loss}`;
    this.element.dataset.drawn = this.drawn;
    this.arrays = arrays;
    this.hosts.voltage.hidden = !arrays.voltage;
    if (arrays.voltage) this.voltage.set([arrays.voltage_t, arrays.voltage.map((v) => v * 1e3)]);
    this.membrane.set([arrays.t, arrays.membrane, arrays.threshold]);
    this.spikes.set([group.range ?? group.full, [0, 0]]);
    const score = (kind) => (best.scores[kind] ? fixed(best.scores[kind].gamma, 3) : "–");
    this.caption.textContent = [
      `${best.candidate}, seed ${best.seed}: loss ${digits(best.loss, 3)}, Γ trained ${score("train")}, held out ${score("held_out")}`,
      best.sweeps > 1 ? `sweep ${best.sweep + 1} of ${best.sweeps}` : "",
      best.cut ? `the first ${digits(best.shown, 3)} s` : "",
    ].filter(Boolean).join("; ");
  }
}
