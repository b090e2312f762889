// The bench: parameters, traces, numbers; what one lands on.

import { CodeFold, digits, make } from "./page.js";
import { Explore } from "./explore.js";
import { Parameters } from "./parameters.js";
import { Tiles } from "./tiles.js";
import { Traces } from "./traces.js";

const STEPS = [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2];

export class Tune {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "tune");
    this.title = make("h1", {});
    this.candidate = make("select", { id: "candidate", change: () => this.ask("choose", { name: this.candidate.value }) });
    this.about = make("p", { class: "soft about" });
    this.equations = make("p", { class: "soft about" });
    const rows = make("div", { class: "parameters" });
    this.options = this.makeOptions();
    const tiles = make("div", { class: "tiles" });
    const traces = make("div", { class: "traces" });
    const explore = make("div", { class: "explore" });
    this.element = make("div", { class: "tune" },
      make("aside", { class: "panel", "aria-label": "Parameters" },
        make("label", { for: "candidate", text: "Candidate" }), this.candidate, this.about,
        make("details", {}, make("summary", { text: "Equations" }), this.equations),
        make("div", { class: "row" },
          make("button", { class: "small", text: "Reset all", click: () => this.ask("reset", {}) })),
        rows, this.options.element),
      make("div", { class: "stage" }, this.title, tiles, traces, explore, this.code.element));
    this.rows = new Parameters(rows, (op, given, name, since) => this.ask(op, given, name ? `${op} ${name}` : null, since),
      () => studio.about.target.unit);
    this.tiles = new Tiles(tiles);
    this.traces = new Traces(traces, { onRange: () => this.look() });
    this.explore = new Explore(studio, explore);
  }

  makeOptions() {
    const choice = (id, title, meaning, values, name, read) => {
      const select = make("select", { id, change: () => this.ask("option", { name, value: read(select.value) }) },
        ...values.map(([value, text]) => make("option", { value, text })));
      return [make("label", { for: id, text: title, title: meaning }), select];
    };
    const [stepLabel, step] = choice("dt", "Chip's time step", "Long steps resolve time constants, short ones spike times.",
      STEPS.map((ms) => [ms / 1e3, `${ms} ms`]), "dt", Number);
    const [windowLabel, window] = choice("window", "A spike is hit within", "Window of coincidence.",
      [[0.002, "2 ms"], [0.004, "4 ms"], [0.008, "8 ms"]], "window", Number);
    const [driveLabel, drive] = choice("drive", "Current enters as", "Loihi 1 has the bias only.",
      [["graded", "graded spikes (Loihi 2)"], ["bias", "bias (Loihi 1 too)"]], "drive", String);
    const [sweepLabel, sweep] = choice("sweep", "Sweep", "The stimulus that is shown.", [], "sweep", Number);
    const threshold = make("input", {
      type: "number", id: "threshold", min: 16, max: 131071, step: 1,
      change: () => this.ask("option", { name: "threshold", value: Number(threshold.value) }),
    });
    const element = make("div", { class: "options" }, stepLabel, step, windowLabel, window, driveLabel, drive,
      make("label", { for: "threshold", text: "Threshold mantissa", title: "How finely v is resolved; its range is 131072 / this, in thresholds." }), threshold,
      sweepLabel, sweep);
    return { element, step, window, drive, threshold, sweep, sweepLabel };
  }

  /** Ask for a change and draw what comes of it. */
  async ask(op, given, key = null, since = performance.now()) {
    const width = this.traces.width;
    const answer = await this.studio.ask(op, { ...given, ...this.traces.range, width }, { key });
    if (!answer) return;
    if (answer.header.target) this.studio.show(answer);
    else this.show(answer);
    queueMicrotask(() => this.studio.measured(performance.now() - since));
    this.later();
  }

  async look() {
    const answer = await this.studio.ask("look", { ...this.traces.range, width: this.traces.width }, { key: "look" });
    if (answer) this.traces.draw(answer.arrays);
  }

  /** What is not needed at once, as soon as nothing else is asked for. A key that is pressed again
   * and again shall not wait for it: the longer it takes, the later it begins. */
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const since = performance.now();
      const tiles = await this.studio.ask("tiles", {}, { key: "tiles" });
      if (tiles) this.tiles.full(tiles.header);
      this.slow = performance.now() - since;
      this.explore.refresh();
      this.code.refresh();
    }, 80 + Math.min(300, 3 * (this.slow ?? 0)));
  }

  /** The target or the candidates are others. */
  begin({ header, arrays }) {
    const { target, candidates } = header;
    this.candidate.replaceChildren(...candidates.map((c) => make("option", { value: c.name, text: `${c.name} · ${c.title}` })));
    this.options.sweep.replaceChildren(...target.steps.map((n, k) => make("option", { value: k, text: `${k + 1} of ${target.sweeps}` })));
    for (const element of [this.options.sweep, this.options.sweepLabel]) element.hidden = target.sweeps < 2;
    this.traces.about(target);
    this.explore.clear();
    this.show({ header, arrays });
    this.later();
  }

  show({ header, arrays }) {
    this.studio.header = header;
    const { target, candidates } = this.studio.about;
    const candidate = candidates.find((c) => c.name === header.candidate);
    this.title.textContent = `${target.name} on ${candidate.name}`;
    this.candidate.value = header.candidate;
    this.about.textContent = `${candidate.stock ? "A process of Lava" : "Our process"}; runs on ${candidate.where.join(", ")}.`;
    this.equations.textContent = candidate.equations;
    this.rows.show(header);
    this.showOptions(header);
    this.tiles.quick(header);
    this.traces.draw(arrays);
    this.studio.history(header);
  }

  showOptions(header) {
    const { step, window, drive, threshold, sweep } = this.options;
    if (![...step.options].some((option) => Number(option.value) === header.dt)) {
      step.append(make("option", { value: header.dt, text: `${digits(header.dt * 1e3)} ms` }));
    }
    step.value = String([...step.options].find((option) => Number(option.value) === header.dt).value);
    window.value = String(header.window);
    drive.value = header.drive;
    if (document.activeElement !== threshold) threshold.value = header.threshold;
    sweep.value = String(header.sweep);
  }

  entered() {
    this.look();
    if (!this.explore.name) this.explore.pick("fi");
    this.code.refresh();
  }
}
