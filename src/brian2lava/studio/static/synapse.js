// Synapses: a response, short-term plasticity or STDP, and what the chip's synapses make of it.

import { CodeFold, digits, make } from "./page.js";
import { Plot, line } from "./plot.js";

const ERRORS = {
  nrmse: "error (NRMSE)", peak: "peak", time_to_peak: "time to peak", rise: "rise", decay: "decay",
  paired_pulse_ratio: "paired-pulse ratio",
};

export class SynapseView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "synapse");
    this.kind = make("select", { id: "synapse-kind", change: () => this.showKind({}) });
    this.fields = make("div", { class: "options" });
    this.button = make("button", { id: "synapse-fit", class: "main", text: "Fit the synapse", click: () => this.start() });
    this.state = make("p", { class: "soft", role: "status", id: "synapse-state" });
    this.of = make("p", { class: "soft", id: "synapse-of" });
    this.table = make("div", { class: "scroll" });
    this.curves = make("div", { class: "side-by-side" });
    this.details = make("div", {});
    this.element = make("div", { class: "columns" },
      make("aside", { class: "panel", "aria-label": "Choose a synapse" }, make("h2", { text: "Synapse" }),
        make("label", { for: "synapse-kind", text: "What it has to do" }), this.kind, this.fields, this.button, this.state),
      make("div", { class: "stage" },
        make("div", {}, make("h2", { text: "What the chip can do" }), this.of, this.table),
        make("div", {}, make("div", { class: "legend" },
          make("span", { class: "key" }, make("i", { class: "swatch target" }), "wanted"), make("span", { class: "key" }, make("i", { class: "swatch chip" }), "chip")), this.curves),
        make("div", {}, this.details), this.code.element));
    this.plots = [];
  }

  async entered() {
    const answer = await this.studio.ask("synapse_status", {}, { key: "synapse" });
    if (answer) this.show(answer);
    this.code.refresh();
  }

  show({ header, arrays }) {
    if (!this.kinds) {
      this.kinds = header.kinds;
      this.kind.replaceChildren(...Object.entries(this.kinds).map(([name, { title }]) => make("option", { value: name, text: title })));
      this.kind.value = header.asked.kind;
      this.showKind(header.asked.parameters);
    }
    this.button.disabled = header.running;
    this.of.textContent = header.of;
    this.rows = header.rows;
    this.arrays = arrays;
    if (!this.rows.length) {
      this.table.replaceChildren(make("p", { class: "soft", text: "Choose what a synapse has to do, and fit it: every way in which the chip can build it appears here, best first." }));
      return;
    }
    const errors = Object.keys(this.rows[0].errors).filter((name) => this.rows.some((row) => row.errors[name] !== null));
    this.table.replaceChildren(make("table", { class: "choice" },
      make("thead", {}, make("tr", {}, ...["built as", "takes", "processes", ...errors.map((name) => ERRORS[name] ?? name.replaceAll("_", " "))].map((text) => make("th", { text })))),
      make("tbody", {}, ...this.rows.map((row) => make("tr", { "data-synapse": row.name, click: () => this.select(row.name) },
        make("th", { scope: "row", title: row.name }, make("button", { class: "link", text: row.title })), make("td", { class: "wrap", text: row.parts }), make("td", { text: row.stock ? "Lava's" : "ours" }),
        ...errors.map((name) => make("td", { class: "figure", text: digits(row.errors[name], 3) })))))));
    this.select(this.rows.some((row) => row.name === this.name) ? this.name : this.rows[0].name);
  }

  showKind(values) {
    const { parameters } = this.kinds[this.kind.value];
    this.inputs = new Map();
    this.fields.replaceChildren(...Object.entries(parameters).flatMap(([name, [first, unit]]) => {
      const factor = unit === "s" ? 1e3 : 1;
      const input = make("input", { type: "text", inputmode: "decimal", id: `synapse-${name}`, value: String(Number(((values[name] ?? first) * factor).toPrecision(6))) });
      this.inputs.set(name, [input, factor]);
      return [make("label", { for: `synapse-${name}`, text: name }), make("span", { class: "row" }, input, make("span", { class: "soft", text: unit === "s" ? "ms" : unit }))];
    }));
  }

  async start() {
    const parameters = Object.fromEntries([...this.inputs].map(([name, [input, factor]]) => [name, Number(input.value.replace(",", ".")) / factor]));
    const answer = await this.studio.ask("synapse_start", { kind: this.kind.value, parameters });
    if (!answer) return;
    this.button.disabled = true;
    this.state.className = "soft";
    this.state.textContent = "searching …";
    this.code.refresh();
  }

  news(header) {
    if (header.news !== "synapse") return;
    if (!header.done) {
      this.state.textContent = `${header.candidate} …`;
      return;
    }
    this.button.disabled = false;
    this.state.textContent = header.error || "Done.";
    this.state.className = header.error ? "wrong" : "soft";
    if (!header.error) this.entered();
  }

  async select(name) {
    this.name = name;
    for (const row of this.table.querySelectorAll("tbody tr")) row.classList.toggle("selected", row.dataset.synapse === name);
    const k = this.rows.findIndex((row) => row.name === name), row = this.rows[k];
    for (const plot of this.plots) plot.remove();
    this.curves.replaceChildren();
    this.plots = row.curves.map((curve, c) => {
      const host = make("div", { class: "plot" });
      this.curves.append(make("div", {}, make("p", { class: "caption", text: curve.name }), host));
      const [x, target, chip] = ["x", "target", "chip"].map((part) => this.arrays[`${k}_${c}_${part}`]);
      const dots = x.length < 60 ? { points: { show: true, size: 4 } } : {};
      const plot = new Plot(host, { height: 220, xLabel: curve.x, yLabel: curve.y, series: [line("wanted", "target", dots), line("chip", "chip", dots)], yAxis: { size: 64 } });
      plot.set([x, target, chip]);
      return plot;
    });
    const pairs = (values) => Object.entries(values).map(([key, value]) => `${key} ${digits(value, 5)}`).join(",  ");
    const script = make("button", { class: "small", text: "Brian2 script", click: () => this.script(name) });
    this.details.replaceChildren(make("h2", { text: row.title }),
      make("p", {}, make("span", { class: "soft", text: "registers  " }), make("code", { text: pairs(row.registers) })),
      make("p", {}, make("span", { class: "soft", text: "that is  " }), pairs(row.physical)),
      make("p", {}, make("span", { class: "soft", text: "it takes  " }), pairs(row.costs)),
      ...row.notes.map((text) => make("p", { class: "soft", text })), script);
  }

  async script(name) {
    const answer = await this.studio.ask("synapse_script", { name });
    if (!answer) return;
    this.details.querySelector("pre")?.remove();
    this.details.append(make("pre", { tabindex: "0", class: "well", text: answer.header.code }));
  }
}
