// Many cells with many candidates: what is asked, the queue, its table, how numbers are distributed.

import { duration } from "./fit.js";
import { CodeFold, digits, fixed, make, shown, tell } from "./page.js";
import { Strip } from "./strip.js";

const EFFORTS = [[500, "a glance: 500"], [1500, "quick: 1,500"], [6000, "usual: 6,000"], [12000, "thorough: 12,000"], [40000, "exhaustive: 40,000"]];
const STEPS = [["", "each cell's own"], [1e-4, "0.1 ms"], [2e-4, "0.2 ms"], [5e-4, "0.5 ms"], [1e-3, "1 ms"], [2e-3, "2 ms"]];
const STATES = ["running", "done", "failed", "stopped", "waiting"];
const COLUMNS = [
  ["cell", "cell", "text"], ["candidate", "candidate", "text"], ["state", "state", "state"], ["held_out", "Γ held out", "number"],
  ["held_out_mean", "mean ± spread", "number"], ["train", "Γ trained", "number"], ["evaluations", "tried", "number"], ["seconds", "seconds", "number"],
];

export class BatchView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "batch");
    this.sorting = { name: null, down: false };
    this.rowsShown = new Map();
    this.element = make("div", { class: "columns batch" },
      make("aside", { class: "panel", "aria-label": "What is fitted" }, this.makeCells(), this.makeCandidates(), this.makeBudget()),
      make("div", { class: "stage" }, this.makeQueue(), this.makeSummary(), this.makeTable(), this.makeParameter(), this.code.element));
  }

  // --- what is asked -----------------------------------------------------------------------------
  makeCells() {
    this.file = make("input", { type: "file", id: "batch-files", multiple: true, accept: ".csv,.txt,.tsv,.dat,.npz,.mat,.nwb,.abf", change: () => this.upload([...this.file.files]) });
    const zone = make("label", { class: "drop", for: "batch-files" }, make("b", { text: "Drop recordings here" }),
      make("span", { class: "soft", text: "Several at once; each is a cell. CSV, NPZ, MAT; NWB and ABF with the extras of those names." }), this.file);
    for (const name of ["dragover", "dragenter"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.upload([...event.dataTransfer.files]);
    });
    this.list = make("ul", { class: "cells", "aria-label": "Cells" });
    this.cellsTitle = make("h2", { text: "Cells" });
    return make("section", {}, this.cellsTitle, zone, this.makeReading(), this.makeModels(),
      make("div", { class: "row" },
        make("button", { class: "small", id: "batch-bench", text: "Add the target of Tune", click: () => this.change("batch_add_bench", {}) }),
        make("button", { class: "small", id: "batch-empty", text: "Remove all", click: () => this.remove(this.header.cells.map((cell) => cell.name)) })),
      this.list);
  }

  makeReading() {
    const unit = (name, values) => make("select", { id: `batch-unit-${name}` }, make("option", { value: "", text: "as in the file" }), ...values.map((text) => make("option", { value: text, text })));
    const number = (id, placeholder) => make("input", { type: "text", id, inputmode: "decimal", placeholder });
    this.reading = { dt: number("batch-file-dt", "as in the file"), threshold: number("batch-file-threshold", "0"), time: unit("time", ["s", "ms", "us"]), current: unit("current", ["A", "nA", "pA", "1"]), voltage: unit("voltage", ["V", "mV"]) };
    const row = (input, title, after = "") => [make("label", { for: input.id, text: title }), make("span", { class: "row" }, input, after)];
    const { dt, threshold, time, current, voltage } = this.reading;
    return make("details", {}, make("summary", { text: "Where the files do not say" }), make("div", { class: "options" },
      ...row(dt, "Time step", "ms"), ...row(threshold, "Spikes cross", "mV"), ...row(time, "Unit of time"), ...row(current, "Unit of current"), ...row(voltage, "Unit of voltage")));
  }

  makeModels() {
    this.model = make("select", { id: "batch-model", change: () => this.showPatterns() });
    this.patterns = make("div", { class: "boxes patterns", role: "group", "aria-label": "Firing patterns" });
    return make("details", { id: "batch-models" }, make("summary", { text: "Models of the literature" }),
      make("div", { class: "options" }, make("label", { for: "batch-model", text: "Model" }), this.model), this.patterns,
      make("button", { class: "small", id: "batch-add-model", text: "Add", click: () => this.addModel() }));
  }

  makeCandidates() {
    this.boxes = make("div", { class: "boxes two", role: "group", "aria-label": "Candidates" });
    const choose = (test) => { for (const box of this.boxes.querySelectorAll("input")) box.checked = test(this.studio.about.candidates.find((c) => c.name === box.value)); this.choose(); };
    return make("section", {}, make("h2", { text: "Candidates" }), make("div", { class: "row" },
      make("button", { class: "small", text: "All", click: () => choose(() => true) }), make("button", { class: "small", text: "Lava's own", click: () => choose((c) => c.stock) }),
      make("button", { class: "small", text: "None", click: () => choose(() => false) })), this.boxes);
  }

  makeBudget() {
    const select = (id, name, options, read) => make("select", { id, change: (event) => this.option(name, read(event.target.value)) }, ...options.map(([value, text]) => make("option", { value, text })));
    this.inputs = {
      evaluations: select("batch-effort", "evaluations", EFFORTS.map(([value, text]) => [value, `${text} settings`]), Number),
      seeds: make("input", { type: "number", id: "batch-seeds", min: 1, max: 20, change: (event) => this.option("seeds", Number(event.target.value)) }),
      dt: select("batch-dt", "dt", STEPS, (value) => (value === "" ? null : Number(value))),
      drive: select("batch-drive", "drive", [["graded", "graded spikes"], ["bias", "bias"]], String),
    };
    const rows = [["evaluations", "A row and seed"], ["seeds", "Seeds"], ["dt", "Chip's time step"], ["drive", "Current enters by"]];
    this.cost = make("p", { class: "soft", id: "batch-estimate" });
    this.fixedNote = make("p", { class: "soft about", hidden: true, text: "What was found was found with these. To change them, forget all results first." });
    return make("section", {}, make("h2", { text: "Budget" }),
      make("div", { class: "options" }, ...rows.flatMap(([name, title]) => [make("label", { for: this.inputs[name].id, text: title }), this.inputs[name]])), this.fixedNote, this.cost);
  }

  // --- what is shown -----------------------------------------------------------------------------
  makeQueue() {
    const button = (id, text, act, kind = "") => make("button", { id, class: kind, text, click: act });
    this.buttons = {
      start: button("batch-start", "Fit all", () => this.change("batch_start", {}), "main"),
      pause: button("batch-pause", "Pause", () => this.change("batch_pause", {})),
      stop: button("batch-stop", "Stop and keep", () => this.change("batch_stop", {})),
      failed: button("batch-failed", "Try failed ones again", () => this.change("batch_start", { failed: true })),
      clear: button("batch-clear", FORGET, () => this.clear()),
      tables: button("batch-tables", "Save as CSV", () => this.save()),
    };
    this.bar = make("progress", { max: 1, value: 0, "aria-label": "Progress of the queue" });
    this.state = make("p", { class: "soft", id: "batch-state", role: "status", text: "" });
    return make("div", {}, make("div", { class: "row" }, ...Object.values(this.buttons), this.bar), this.state);
  }

  makeSummary() {
    this.summary = make("div", { class: "scroll" });
    this.scoreHost = make("div", { "data-plot": "batch-scores" });
    this.scores = new Strip(this.scoreHost, { pick: (cell) => this.select(cell) });
    return make("div", {}, make("h2", { text: "Candidates over cells" }), this.summary, this.scoreHost);
  }

  makeTable() {
    this.heads = COLUMNS.map(([name, title, kind]) => make("th", { scope: "col", class: kind === "number" ? "figure" : "", "data-column": name },
      make("button", { class: "sort", text: title, title: `Sort by ${title}`, click: () => this.sort(name) })));
    this.body = make("tbody", {});
    this.table = make("table", { class: "choice queue" }, make("thead", {}, make("tr", {}, ...this.heads, make("th", {}))), this.body);
    this.none = make("p", { class: "soft", text: "No rows yet: add cells and choose candidates." });
    return make("div", {}, make("h2", { text: "Queue" }), this.none, make("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Rows" }, this.table),
      make("p", { class: "caption", text: "Click a row, or press Tune, to put its cell and neuron on the bench." }));
  }

  makeParameter() {
    this.parameter = make("select", { id: "batch-parameter", "aria-label": "Parameter", change: () => this.showParameter() });
    this.parameterHost = make("div", { "data-plot": "batch-parameter" });
    this.parameters = new Strip(this.parameterHost, { pick: (cell) => this.select(cell) });
    return make("div", {}, make("div", { class: "row" }, make("h2", { text: "A parameter over cells" }), this.parameter), this.parameterHost);
  }

  begin() {
    const { candidates } = this.studio.about;
    const names = candidates.map((c) => c.name).join();
    if (this.names === names) return;
    this.names = names;
    this.boxes.replaceChildren(...candidates.map((c) => make("label", { for: `batch-${c.name}`, title: c.title },
      make("input", { type: "checkbox", id: `batch-${c.name}`, value: c.name, change: () => this.choose() }), make("b", { text: c.name }))));
  }

  async entered() {
    const answer = await this.studio.ask("batch_status", {}, { key: "batch" });
    if (!answer) return;
    this.show(answer.header);
    if (answer.header.estimate === null) this.estimate();
    this.code.refresh();
  }

  news(header) {
    if (header.news === "batch" && this.studio.current === this) this.look();
  }

  async look() {
    const answer = await this.studio.ask("batch_status", {}, { key: "batch" });
    if (answer) this.show(answer.header);
  }

  /** Ask for a change, show what comes of it. */
  async change(op, given, arrays = {}) {
    const answer = await this.studio.ask(op, given, { arrays });
    if (!answer) {
      this.look();
      return null;
    }
    this.show(answer.header);
    this.code.refresh();
    return answer.header;
  }

  async asked(op, given, arrays) {
    const header = await this.change(op, given, arrays);
    if (header) this.estimate();
    return header;
  }

  async upload(files) {
    const { dt, threshold, time, current, voltage } = this.reading;
    const number = (input, factor) => (input.value.trim() === "" ? null : Number(input.value.replace(",", ".")) * factor);
    for (const file of files) {
      const header = await this.change("batch_add_file", {
        name: file.name, dt: number(dt, 1e-3), spike_threshold: number(threshold, 1e-3), units: { time: time.value, current: current.value, voltage: voltage.value },
      }, { file: new Uint8Array(await file.arrayBuffer()) });
      if (header?.wrong) tell(header.wrong);
    }
    this.file.value = "";
    this.estimate();
  }

  showPatterns() {
    const { patterns } = this.header.models.find((each) => each.name === this.model.value);
    const box = (value, text, checked) => make("label", {}, make("input", { type: "checkbox", value, checked }), text);
    this.patterns.replaceChildren(...(patterns.length ? patterns.map((name) => box(name, name, true)) : [make("span", { class: "soft", text: "no patterns: one cell, under the model's own current" })]));
  }

  addModel() {
    const boxes = [...this.patterns.querySelectorAll("input")];
    const patterns = boxes.filter((box) => box.checked).map((box) => box.value);
    this.asked("batch_add_models", { model: this.model.value, patterns });
  }

  remove(cells) {
    if (cells.length) this.asked("batch_remove", { cells });
  }

  choose() {
    this.asked("batch_candidates", { candidates: [...this.boxes.querySelectorAll("input:checked")].map((box) => box.value) });
  }

  option(name, value) {
    this.asked("batch_options", { options: { [name]: value } });
  }

  estimate() {
    if (!this.header?.cells.some((cell) => !cell.error) || !this.header.candidates.length) {
      this.cost.textContent = "";
      return;
    }
    this.cost.textContent = "Measuring how long that takes here …";
    this.studio.ask("batch_estimate", {}, { key: "batch-estimate" });
  }

  clear() {
    if (this.buttons.clear.textContent === FORGET) {
      this.buttons.clear.textContent = SURE;
      setTimeout(() => { this.buttons.clear.textContent = FORGET; }, 4000);
      return;
    }
    this.buttons.clear.textContent = FORGET;
    this.asked("batch_clear", {});
  }

  async save() {
    const answer = await this.studio.ask("batch_tables", {});
    for (const [name, data] of Object.entries(answer?.arrays ?? {})) {
      make("a", { href: URL.createObjectURL(new Blob([data], { type: "text/csv" })), download: name }).click();
    }
  }

  async tune(row) {
    if (row.held_out === null && row.train === null) {
      tell(row.reason || `Nothing was found yet for ${row.cell} with ${row.candidate}.`, row.reason ? "error" : "note");
      return;
    }
    const answer = await this.studio.ask("batch_tune", { cell: row.cell, candidate: row.candidate, width: 1200 });
    if (!answer) return;
    this.studio.show(answer);
    this.studio.pick("tune");
  }

  // --- showing it --------------------------------------------------------------------------------
  show(header) {
    const before = this.header;
    this.header = header;
    if (!before) this.model.replaceChildren(...header.models.map(({ name }) => make("option", { value: name, text: name })));
    if (!before) this.showPatterns();
    this.showCells();
    for (const box of this.boxes.querySelectorAll("input")) box.checked = header.candidates.includes(box.value);
    for (const [name, input] of Object.entries(this.inputs)) {
      if (document.activeElement !== input) input.value = choice(input, header.options[name]);
      input.disabled = header.fixed;
    }
    this.fixedNote.hidden = !header.fixed;
    if (header.estimate !== null && header.cells.length) this.cost.textContent = `All cells, candidates and seeds: about ${duration(header.estimate)} on this machine.`;
    this.showQueue();
    this.showSummary();
    this.showTable();
    this.showScores();
    this.showParameters();
  }

  showCells() {
    const { cells } = this.header;
    this.cellsTitle.textContent = cells.length ? `Cells (${cells.length})` : "Cells";
    this.list.replaceChildren(...cells.map((cell) => make("li", { class: cell.name === this.cell ? "selected" : "" },
      make("button", { class: "link", text: cell.name, title: cell.from, "aria-pressed": String(cell.name === this.cell), click: () => this.select(cell.name) }),
      make("button", { class: "plain", "aria-label": `Remove ${cell.name}`, text: "×", click: () => this.remove([cell.name]) }),
      cell.error ? make("span", { class: "wrong", text: cell.error })
        : make("span", { class: "soft", text: `${digits(cell.spikes, 4)} spikes in ${digits(cell.seconds, 3)} s${cell.sweeps > 1 ? `, ${cell.sweeps} sweeps` : ""}` }))));
  }

  showQueue() {
    const { running, pausing, counts, rows, part, left, error, estimate } = this.header;
    const waits = counts.waiting + counts.stopped;
    const { start, pause, stop, failed, clear, tables } = this.buttons;
    start.hidden = running || (rows.length > 0 && !waits);
    start.disabled = !waits;
    start.textContent = counts.done || part > 0 || counts.failed ? "Go on" : "Fit all";
    pause.hidden = !running;
    pause.disabled = pausing;
    stop.hidden = !running && !(counts.waiting && part > 0);
    failed.hidden = running || !counts.failed;
    clear.hidden = running || !(part > 0 || counts.failed);
    tables.disabled = !rows.length;
    this.bar.value = part;
    this.bar.hidden = !rows.length;
    const told = STATES.filter((state) => counts[state]).map((state) => `${counts[state]} ${state}`).join(", ");
    const rest = running ? (left === null ? "" : `; about ${duration(left)} left`) : waits && !(part > 0) && estimate !== null ? `; about ${duration(estimate)} on this machine` : "";
    this.state.textContent = error || (rows.length ? `${pausing ? "Pausing: " : running ? "" : counts.waiting && part > 0 ? "Paused: " : waits || !rows.length ? "" : "Done: "}${told}${rest}.` : "Add cells, choose candidates, and fit every cell with each of them.");
    this.state.classList.toggle("wrong", Boolean(error));
  }

  showSummary() {
    const { summary } = this.header;
    this.summary.hidden = !summary.some((each) => each.scored);
    this.summary.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...["candidate", "median Γ held out", "quartiles", "cells won", "cells with a score", "failed"].map((text, k) => make("th", { class: k ? "figure" : "", text })))),
      make("tbody", {}, ...summary.map((each) => make("tr", { "data-summary": each.candidate }, make("th", { scope: "row", text: each.candidate }),
        ...[fixed(each.median, 3), each.scored ? `${fixed(each.first_quartile, 3)} – ${fixed(each.third_quartile, 3)}` : "–", each.wins, each.scored, each.failed].map((text) => make("td", { class: "figure", text })))))));
  }

  showTable() {
    const rows = this.sorted();
    this.none.hidden = rows.length > 0;
    this.table.hidden = !rows.length;
    const kept = new Map();
    const shownRows = rows.map((row) => {
      const key = `${row.cell}\n${row.candidate}`, text = JSON.stringify(row);
      const before = this.rowsShown.get(key);
      const found = before?.text === text ? before : { text, element: this.tr(row) };
      found.element.classList.toggle("selected", row.cell === this.cell);
      kept.set(key, found);
      return found.element;
    });
    this.rowsShown = kept;
    // where order and rows are the same nothing moves, so that focus stays where it is
    if (shownRows.length !== this.body.children.length || shownRows.some((element, k) => this.body.children[k] !== element)) this.body.replaceChildren(...shownRows);
    for (const head of this.heads) {
      const own = head.dataset.column === this.sorting.name;
      if (own) head.setAttribute("aria-sort", this.sorting.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  tr(row) {
    const state = row.state === "running" || (row.state === "waiting" && row.part > 0) ? `${row.state}, ${Math.round(row.part * 100)} %` : row.state;
    const mark = { done: "✓", failed: "✕", running: "▸", stopped: "■", waiting: "·" }[row.state];
    const figure = (text) => make("td", { class: "figure", text });
    return make("tr", { "data-cell": row.cell, "data-candidate": row.candidate, click: () => this.tune(row) },
      make("th", { scope: "row", text: row.cell }), make("td", { text: row.candidate }),
      make("td", { class: row.state === "failed" ? "wrong wrap" : "", title: row.reason }, make("span", { "aria-hidden": "true", text: `${mark} ` }), state, row.reason ? make("span", { class: "reason", text: row.reason }) : null),
      figure(fixed(row.held_out, 3)), figure(row.held_out_mean === null ? "–" : `${fixed(row.held_out_mean, 3)} ± ${fixed(row.held_out_spread, 3)}`), figure(fixed(row.train, 3)),
      figure(row.evaluations || "–"), figure(row.seconds ? fixed(row.seconds, 1) : "–"),
      make("td", {}, make("button", { class: "small", text: "Tune", disabled: row.held_out === null && row.train === null, "aria-label": `Tune ${row.candidate} for ${row.cell}`, click: (event) => { event.stopPropagation(); this.tune(row); } })));
  }

  sort(name) {
    // numbers begin with the largest, which are best
    const first = COLUMNS.find(([each]) => each === name)[2] === "number";
    if (this.sorting.name === name && this.sorting.down !== first) this.sorting = { name: null, down: false };
    else this.sorting = { name, down: this.sorting.name === name ? !this.sorting.down : first };
    this.showTable();
  }

  sorted() {
    const rows = [...this.header.rows], { name, down } = this.sorting;
    if (!name) return rows;
    const kind = COLUMNS.find(([each]) => each === name)[2];
    const value = (row) => (kind === "state" ? STATES.indexOf(row.state) : row[name]);
    const compare = kind === "text" ? (a, b) => a.localeCompare(b, undefined, { numeric: true }) : (a, b) => a - b;
    return rows.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null); // what is missing comes last
      return compare(a, b) * (down ? -1 : 1);
    });
  }

  async showScores() {
    const answer = await this.studio.ask("batch_distribution", { name: "held_out" }, { key: "batch-scores" });
    if (!answer) return;
    const { groups } = answer.header;
    const least = Math.min(0, ...groups.flatMap((group) => group.values));
    const order = this.header.summary.map((each) => each.candidate);
    groups.sort((a, b) => order.indexOf(a.candidate) - order.indexOf(b.candidate));
    this.scores.set({ groups, title: "Γ held out", factor: 1, unit: "", log: false, ends: [least, 1], selected: this.cell });
  }

  showParameters() {
    const chosen = this.studio.about.candidates.filter((c) => this.header.candidates.includes(c.name));
    const known = new Map(chosen.flatMap((c) => c.parameters.map((p) => [p.name, p.meaning])));
    const text = [...known.keys()].join();
    if (this.parametersShown !== text) {
      this.parametersShown = text;
      const before = this.parameter.value;
      this.parameter.replaceChildren(...[...known].map(([name, meaning]) => make("option", { value: name, text: `${name}: ${meaning}` })));
      if (known.has(before)) this.parameter.value = before;
    }
    this.showParameter();
  }

  async showParameter() {
    const name = this.parameter.value;
    if (!name || !this.header.rows.length) {
      this.parameters.set({ groups: [], title: "", factor: 1, unit: "", log: false });
      return;
    }
    const answer = await this.studio.ask("batch_distribution", { name }, { key: "batch-parameter" });
    if (!answer) return;
    const { groups, log } = answer.header;
    const units = new Set(this.header.cells.filter((cell) => !cell.error).map((cell) => cell.unit));
    const { factor, unit } = units.size > 1 && answer.header.unit === "1/I" ? { factor: 1, unit: "θ a unit of each cell's current" } : shown(answer.header.unit, [...units][0]);
    this.parameters.set({ groups, title: name, factor, unit, log, selected: this.cell });
  }

  /** A cell that is marked everywhere; once more, and it is not. */
  select(name) {
    this.cell = this.cell === name ? null : name;
    this.showCells();
    this.showTable();
    for (const strip of [this.scores, this.parameters]) if (strip.data) strip.set({ ...strip.data, selected: this.cell });
    const row = this.body.querySelector("tr.selected"), place = this.table.parentElement; // the page itself stays where it is
    if (row) place.scrollTop = row.offsetTop - place.clientHeight / 2;
  }
}

const FORGET = "Forget all results", SURE = "Press again to forget";

/** The option of a select, or the value of an input, for a value. */
function choice(input, value) {
  if (input.tagName !== "SELECT") return value;
  const option = [...input.options].find((each) => (value === null ? each.value === "" : each.value !== "" && (each.value === String(value) || Math.abs(Number(each.value) - value) < 1e-12)));
  if (option) return option.value;
  input.append(make("option", { value, text: String(value) }));
  return String(value);
}
