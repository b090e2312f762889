// The linked plots of the bench: target, membrane on the chip and in floating point, spikes, current.

import { current, digits, fixed, make } from "./page.js";
import { BARE, TimeGroup, line } from "./plot.js";
import { SPIKE_AXIS, drawSpikes } from "./spikes.js";

export class Traces {
  constructor(host, { onRange }) {
    this.readout = make("p", { class: "readout", text: "Drag to zoom, double-click to see all." });
    this.hosts = Object.fromEntries(["voltage", "membrane", "spikes", "stimulus"].map(
      (name) => [name, make("div", { class: "plot", "data-plot": name })]));
    const key = (name, text) => make("span", { class: "key" }, make("i", { class: `swatch ${name}` }), text);
    host.replaceChildren(
      make("div", { class: "legend" }, key("target", "target"), key("chip", "chip"), key("real", "floating point"),
        key("threshold", "threshold"), key("hit", "hit"), key("miss", "missed"), key("extra", "extra"),
        key("train", "trained"), key("held", "held out")),
      this.readout, ...Object.values(this.hosts));
    this.group = new TimeGroup({ onRange, onCursor: (t) => this.point(t) });
    this.arrays = {};
    this.build();
  }

  build() {
    const { voltage, membrane, spikes, stimulus } = this.hosts;
    this.voltage = this.group.add(voltage, { height: 116, yLabel: "target (mV)", ...BARE, series: [line("target", "target")] });
    this.membrane = this.group.add(membrane, {
      height: 180, yLabel: "membrane (θ)", ...BARE,
      series: [line("floating point", "real"), line("chip", "chip"), line("threshold", "threshold", { dash: [4, 3], width: 1 })],
    });
    this.spikes = this.group.add(spikes, {
      height: 56, yLabel: "", ...BARE, series: [line("", "target", { show: true, stroke: "transparent" })],
      y: { range: [0, 2] },
      yAxis: SPIKE_AXIS,
      hooks: { draw: [(u) => drawSpikes(u, this.arrays)] },
    });
    this.stimulus = this.group.add(stimulus, {
      height: 104, yLabel: "current", xLabel: "time (s)", series: [line("current", "stimulus")],
    });
  }

  get width() {
    return Math.round(this.hosts.membrane.clientWidth * Math.min(devicePixelRatio, 2)) || 800;
  }

  about(target) {
    this.unit = current(target.unit);
    this.duration = target.duration;
    this.group.full = [0, target.duration];
    this.group.spans = { train: target.train, held_out: target.held_out };
    this.hosts.voltage.hidden = !target.voltage.some(Boolean);
    this.stimulus.u.axes[1].label = this.unit.unit || "current";
  }

  get range() {
    return this.group.range ? { start: this.group.range[0], stop: this.group.range[1] } : {};
  }

  draw(arrays) {
    this.arrays = arrays;
    if (arrays.voltage) this.voltage.set([arrays.voltage_t, arrays.voltage.map((v) => v * 1e3)]);
    this.membrane.set([arrays.t, arrays.real, arrays.chip, arrays.chip_threshold]);
    const range = this.group.range ?? this.group.full;
    this.spikes.set([range, [0, 0]]);
    this.stimulus.set([arrays.t, arrays.stimulus.map((v) => v * this.unit.factor)]);
  }

  point(t) {
    const { t: times, chip, real, voltage, voltage_t: vt } = this.arrays;
    if (!times) return;
    const at = (axis, values) => values?.[Math.min(values.length - 1, Math.max(0, lower(axis, t)))];
    const parts = [`t ${fixed(t, 4)} s`, `chip ${digits(at(times, chip), 3)} θ`, `float ${digits(at(times, real), 3)} θ`];
    if (voltage) parts.push(`target ${digits(at(vt, voltage) * 1e3, 3)} mV`);
    this.readout.textContent = parts.join("   ");
  }
}

function lower(values, wanted) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
