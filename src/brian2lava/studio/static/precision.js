// What precision costs: the score over the chip's time step and the bits of its decays, and over the
// bits of weights and their exponent.

import { CodeFold, digits, fixed, make } from "./page.js";
import { colour } from "./plot.js";

const KINDS = [["held_out", "held out"], ["train", "trained"]];
const SYNAPSES = [["input", "the synapse of the stimulus"], ["own", "its synapse onto itself"]];

/** A table of scores: shaded, the best framed, the present one marked; a cell can be chosen. */
class ScoreMap {
  constructor({ corner, row, column, under, says, choose }) {
    Object.assign(this, { corner, row, column, under, says, choose });
    this.element = make("div", { class: "scroll" });
  }

  /** Cells of a kind; returns the place of the best, -1 where no cell has a number. */
  show(kind, { header, arrays }) {
    const { rows, columns, column_bits: bits } = arrays, values = arrays[kind];
    let best = -1;
    const [nowRow, nowColumn] = header.now ?? [NaN, NaN];
    const isNow = (k) => Math.abs(rows[Math.floor(k / columns.length)] - nowRow) < 1e-9 && Math.abs(columns[k % columns.length] - nowColumn) < 1e-9;
    // of equal ones the present one, so that nobody is sent elsewhere for nothing
    values.forEach((value, k) => { if (Number.isFinite(value) && (!(value <= values[best]) || (value === values[best] && isNow(k)))) best = k; });
    const head = (text, below) => make("th", { class: "figure" }, text, below === undefined ? null : make("small", { text: below }));
    this.element.replaceChildren(make("table", { class: "map" },
      make("thead", {}, make("tr", {}, make("th", {}, this.corner, this.under && bits ? make("small", { text: this.under }) : null), ...[...columns].map((n, k) => head(this.column(n), this.under && bits ? `${bits[k]}` : undefined)))),
      make("tbody", {}, ...[...rows].map((n, i) => make("tr", { class: Math.abs(n - nowRow) < 1e-9 ? "selected" : "" },
        make("th", { scope: "row", text: this.row(n) }),
        ...[...columns].map((m, j) => {
          const k = i * columns.length + j;
          return this.cell(values[k], header.refused[k], n, m, k === best, isNow(k));
        }))))));
    return best;
  }

  cell(value, refused, row, column, best, here) {
    const known = Number.isFinite(value);
    const button = make("button", {
      class: "plain", text: known ? fixed(value, 2) : "–", title: known ? null : refused, disabled: !known && refused !== "",
      "aria-label": `${this.says(row, column)}: ${known ? fixed(value, 2) : refused}${here ? ", as it is" : ""}`,
      click: () => this.choose(row, column),
    });
    const cell = make("td", { class: [best ? "best" : "", here ? "here" : ""].join(" ").trim() }, button);
    cell.style.background = `color-mix(in srgb, ${colour("chip")} ${Math.round(Math.max(0, Math.min(1, value || 0)) * 80)}%, transparent)`;
    return cell;
  }
}

export class PrecisionView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "precision");
    this.kind = "held_out";
    this.synapse = "input";
    this.title = make("h1", {});
    this.choice = make("div", { class: "row", role: "group", "aria-label": "Which score" }, ...KINDS.map(([kind, text]) => make("button", {
      class: "small", "data-kind": kind, "aria-pressed": String(kind === this.kind), text, click: () => this.show(kind),
    })));
    this.decays = new ScoreMap({
      corner: "step \\ bits", row: (dt) => `${digits(dt * 1e3)} ms`, column: String, says: (dt, bits) => `step ${digits(dt * 1e3)} ms, ${bits} bits`,
      choose: (dt) => this.change("option", { name: "dt", value: dt }),
    });
    this.weights = new ScoreMap({
      corner: "bits \\ exponent", row: String, column: (e) => String(e).replaceAll("-", "−"), under: "bits left",
      says: (bits, exponent) => `weight of ${bits} bits, exponent ${exponent}`,
      choose: (bits, exponent) => this.change("weight_cell", { synapse: this.synapse, bits, exponent }),
    });
    this.note = make("p", { class: "caption", id: "decay-note" });
    this.which = make("select", { id: "synapse-of-map", change: () => { this.synapse = this.which.value; this.askWeights(); } },
      ...SYNAPSES.map(([value, text]) => make("option", { value, text })));
    this.whichRow = make("div", { class: "row" }, make("label", { for: "synapse-of-map", text: "Of" }), this.which);
    this.means = make("p", { class: "soft", id: "weight-means" });
    this.weightNote = make("p", { class: "caption", id: "weight-note" });
    this.element = make("div", { class: "single" },
      make("div", { class: "card" }, this.title,
        make("p", { class: "soft", text: "Γ of the neuron on the bench in the shown sweep, if the chip had other bits, exponents or steps. The present one is dotted, the best framed. Choose a cell to work with it." }),
        this.choice),
      make("div", { class: "card", id: "decay-map" }, make("h2", { text: "Time step and bits of decays" }),
        make("p", { class: "soft", text: "At the same physical parameters, all registers rounded anew for each step (single bits that were set or fitted are not in it); decays with fewer bits than twelve." }),
        this.decays.element, this.note),
      make("div", { class: "card", id: "weight-map" }, make("h2", { text: "Bits of weights and their exponent" }),
        this.whichRow, this.means, this.weights.element, this.weightNote),
      this.code.element);
  }

  async change(op, given) {
    await this.studio.change(op, given);
    this.entered();
  }

  async entered() {
    this.title.textContent = `Precision of ${this.studio.header.candidate}`;
    const answer = await this.studio.ask("precision", {}, { key: "precision" });
    if (!answer) return;
    this.map = answer;
    await this.askWeights();
    this.show(this.kind);
    this.code.refresh();
  }

  async askWeights() {
    const answer = await this.studio.ask("weight_map", { synapse: this.synapse }, { key: "weight map" });
    if (!answer) return;
    const { synapse, own, note } = answer.header;
    this.weightMap = answer;
    this.synapse = this.which.value = synapse;
    this.whichRow.hidden = !own;
    this.means.textContent = note;
    if (this.map) this.show(this.kind);
  }

  show(kind) {
    this.kind = kind;
    for (const button of this.choice.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    const best = this.decays.show(kind, this.map), { rows, columns } = this.map.arrays;
    const now = this.studio.header.dt;
    this.note.textContent = best < 0 ? this.map.header.refused.find(Boolean) ?? ""
      : `Best: ${fixed(this.map.arrays[kind][best], 3)} at ${digits(rows[Math.floor(best / columns.length)] * 1e3)} ms and ${columns[best % columns.length]} bits. The bench is at ${digits(now * 1e3)} ms and 12 bits.`;
    if (this.weightMap) this.showWeights(kind);
  }

  showWeights(kind) {
    const { header, arrays } = this.weightMap;
    const ofBias = header.synapse === "input" && header.drive === "bias";
    this.weights.under = ofBias ? "bits of the mantissa" : header.synapse === "own" ? "bits of the mantissa" : "bits of the payload";
    this.weights.corner = ofBias ? "bias \\ exponent" : "bits \\ exponent";
    this.weights.says = ofBias ? (_, e) => `bias, exponent ${e}` : (bits, e) => `weight of ${bits} bits, exponent ${e}`;
    const best = this.weights.show(kind, this.weightMap);
    const [bits, exponent] = header.now;
    const at = (row, column) => `${ofBias ? "" : `${row} bits and `}exponent ${column}`.replaceAll("-", "−");
    this.weightNote.textContent = best < 0 ? header.refused.find(Boolean) ?? ""
      : `Best: ${fixed(arrays[kind][best], 3)} at ${at(arrays.rows[Math.floor(best / arrays.columns.length)], arrays.columns[best % arrays.columns.length])}. The bench is at ${at(bits, exponent)}.`;
  }
}
