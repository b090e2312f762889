// Take the neuron away: scripts, model entry, report, figures, the session; and proof that they hold.

import { CodeFold, make, tell } from "./page.js";

const FILES = {
  "on_loihi2.py": "Brian2 script for set_device(\"lava\", hardware=\"Loihi2\")",
  "in_lava.py": "Lava script, without Brian2",
  "neuron.json": "model entry: registers, input, meaning, score",
  "input.npz": "the stimulus in the chip's integers, which the scripts read",
  "spikes.txt": "what the scripts print",
  "report.html": "report with figures and registers",
  "response.svg": "figure: stimulus, voltages, spikes",
  "search.svg": "figure: every seed's loss",
  "ranking.svg": "figure: held-out scores of all candidates",
  "again.py": "the fit again",
};
const SCRIPTS = ["on_loihi2.py", "in_lava.py"];

export class ExportView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "export");
    this.source = make("select", { id: "export-source", change: () => this.load() });
    this.files = make("table", {});
    this.proofs = new Map();
    this.preview = make("div", { class: "card preview" }, make("p", { class: "soft", text: "Choose a file to look at it." }));
    this.kept = make("p", { class: "soft" });
    this.urls = [];
    this.element = make("div", { class: "single" },
      make("div", { class: "card" },
        make("div", { class: "row" }, make("label", { for: "export-source" }, make("b", { text: "Export" })), this.source,
          make("button", { class: "main", id: "export-all", text: "Download all (zip)", click: () => this.download("all.zip", `${this.name}.zip`) }),
          make("button", { id: "export-session", text: "Download the session", click: () => this.session() })),
        this.kept, make("div", { class: "scroll" }, this.files)),
      this.preview, this.code.element);
  }

  get name() {
    return this.source.value || "bench";
  }

  async entered() {
    await this.load();
    this.code.refresh();
  }

  async load() {
    const answer = await this.studio.ask("export", { name: this.name }, { key: "export" });
    if (!answer) return;
    const { header, arrays } = answer;
    const chosen = this.name;
    const bench = this.studio.header ? `the neuron on the bench (${this.studio.header.candidate})` : "the neuron on the bench";
    this.source.replaceChildren(make("option", { value: "bench", text: bench }), ...header.fitted.map((name, k) => make("option", { value: name, text: `fitted: ${name}${k ? "" : " (best)"}` })));
    this.source.value = header.fitted.includes(chosen) ? chosen : "bench";
    this.kept.textContent = header.session ? `Everything is saved by itself in ${header.session}.` : "";
    this.contents = arrays;
    this.proofs.clear();
    const rows = Object.entries(FILES).filter(([name]) => arrays[name] || header.left_out[name]).map(([name, meaning]) => this.row(name, meaning, header.left_out[name]));
    this.files.replaceChildren(make("tbody", {}, ...rows));
    if (this.looked && arrays[this.looked]) this.look(this.looked);
  }

  row(name, meaning, why) {
    const cells = [make("th", { scope: "row" }, make("code", { text: name })), make("td", { class: "wrap", text: meaning })];
    if (why) return make("tr", {}, ...cells, make("td", { class: "wrap soft", colspan: 2, text: `Not of this neuron: ${why}` }));
    const said = make("span", { class: "soft", role: "status" });
    this.proofs.set(name, said);
    const buttons = [
      name === "input.npz" ? null : make("button", { class: "small", text: "Look", "aria-label": `Look at ${name}`, click: () => this.look(name) }),
      make("button", { class: "small", text: "Download", "aria-label": `Download ${name}`, click: () => this.download(name, name) }),
      SCRIPTS.includes(name) ? make("button", { class: "small", text: "Run it", "aria-label": `Run ${name}`, title: "In a process of its own; does it print the same spikes?", click: () => this.prove(name) }) : null,
    ];
    return make("tr", {}, ...cells, make("td", {}, make("span", { class: "row tight" }, ...buttons.filter(Boolean))), make("td", { class: "wrap" }, said));
  }

  blob(name) {
    const kind = name.endsWith(".svg") ? "image/svg+xml" : "application/octet-stream";
    const url = URL.createObjectURL(new Blob([this.contents[name]], { type: kind }));
    this.urls.push(url);
    if (this.urls.length > 20) URL.revokeObjectURL(this.urls.shift());
    return url;
  }

  download(name, as) {
    make("a", { href: this.blob(name), download: as }).click();
  }

  look(name) {
    this.looked = name;
    const title = make("h2", {}, make("code", { text: name }));
    if (name.endsWith(".svg")) {
      this.preview.replaceChildren(title, make("img", { src: this.blob(name), alt: FILES[name] }));
      return;
    }
    const text = new TextDecoder().decode(this.contents[name]);
    const shown = text.length > 40000 ? `${text.slice(0, 40000)}\n… (${text.length} characters; download it for the rest)` : text;
    this.preview.replaceChildren(title, make("pre", { tabindex: "0", text: shown }));
  }

  async prove(script) {
    const said = this.proofs.get(script);
    said.textContent = "running …";
    said.className = "soft";
    const answer = await this.studio.ask("prove", { name: this.name, script });
    if (!answer) said.textContent = "";
  }

  news(header) {
    if (header.news !== "proof") return;
    const said = this.proofs.get(header.script);
    if (!said) return;
    said.textContent = header.said;
    said.className = header.same ? "good" : "wrong";
  }

  async session() {
    const answer = await this.studio.ask("session_file", {});
    if (!answer) return;
    const url = URL.createObjectURL(new Blob([answer.arrays.file]));
    make("a", { href: url, download: answer.header.name }).click();
    tell("brian2lava studio --session FILE opens it again.", "note");
  }
}
