// What precision costs: the held-out score over the chip's time step and the bits of its decays.

import { CodeFold, digits, fixed, make } from "./page.js";
import { colour } from "./plot.js";

const KINDS = [["held_out", "held out"], ["train", "trained"]];

export class PrecisionView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "precision");
    this.kind = "held_out";
    this.title = make("h1", {});
    this.choice = make("div", { class: "row", role: "group", "aria-label": "Which score" }, ...KINDS.map(([kind, text]) => make("button", {
      class: "small", "data-kind": kind, "aria-pressed": String(kind === this.kind), text, click: () => this.show(kind),
    })));
    this.map = make("div", { class: "scroll" });
    this.note = make("p", { class: "caption" });
    this.element = make("div", { class: "single" }, make("div", { class: "card" }, this.title,
      make("p", { class: "soft", text: "Γ of the neuron on the bench, at the same physical parameters and with all registers rounded anew, if the chip's step were longer or shorter and its decays had fewer bits than twelve. Choose a cell to work with that step." }),
      this.choice, this.map, this.note), this.code.element);
  }

  async entered() {
    const { header } = this.studio;
    this.title.textContent = `Precision of ${header.candidate}`;
    const answer = await this.studio.ask("precision", {}, { key: "precision" });
    if (!answer) return;
    this.arrays = answer.arrays;
    this.show(this.kind);
    this.code.refresh();
  }

  show(kind) {
    this.kind = kind;
    for (const button of this.choice.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    const { dt, bits } = this.arrays;
    const values = this.arrays[kind];
    let best = 0;
    values.forEach((value, k) => { if (value > (values[best] ?? -Infinity) || !Number.isFinite(values[best])) best = k; });
    const now = this.studio.header.dt;
    this.map.replaceChildren(make("table", { class: "map" },
      make("thead", {}, make("tr", {}, make("th", { text: "step \\ bits" }), ...[...bits].map((n) => make("th", { class: "figure", text: n })))),
      make("tbody", {}, ...[...dt].map((step, row) => make("tr", { class: Math.abs(step - now) < 1e-9 ? "selected" : "" },
        make("th", { scope: "row", text: `${digits(step * 1e3)} ms` }),
        ...[...bits].map((n, column) => this.cell(values[row * bits.length + column], step, n, row * bits.length + column === best)))))));
    this.note.textContent = `Best: ${fixed(values[best], 3)} at ${digits(dt[Math.floor(best / bits.length)] * 1e3)} ms and ${bits[best % bits.length]} bits. The bench is at ${digits(now * 1e3)} ms and 12 bits.`;
  }

  cell(value, step, bits, best) {
    const part = Math.max(0, Math.min(1, value || 0));
    const button = make("button", {
      class: "plain", text: fixed(value, 2), "aria-label": `step ${digits(step * 1e3)} ms, ${bits} bits: ${fixed(value, 2)}`,
      click: async () => {
        await this.studio.change("option", { name: "dt", value: step });
        this.entered();
      },
    });
    const cell = make("td", { class: best ? "best" : "" }, button);
    cell.style.background = `color-mix(in srgb, ${colour("chip")} ${Math.round(part * 80)}%, transparent)`;
    return cell;
  }
}
