// Search: candidates, bounds, budget; convergence and ranking while it runs.

import { BestTrace } from "./best.js";
import { CodeFold, digits, fixed, make, shown } from "./page.js";
import { Plot, line } from "./plot.js";

/** Colours and dashes of candidates, so that neither has to be told apart alone. */
export const STYLES = [
  ["c0", []], ["c1", []], ["c2", []], ["c3", []], ["c4", []], ["c5", []], ["c0", [6, 3]], ["c1", [6, 3]], ["c2", [6, 3]], ["c3", [6, 3]], ["c4", [6, 3]], ["c5", [6, 3]],
];

const EFFORTS = [[1500, "quick: 1,500"], [6000, "usual: 6,000"], [12000, "thorough: 12,000"], [40000, "exhaustive: 40,000"]];

export class FitView {
  constructor(studio) {
    this.studio = studio;
    this.code = new CodeFold(studio, "fit");
    this.boxes = make("div", { class: "boxes", role: "group", "aria-label": "Candidates" });
    this.effort = make("select", { id: "effort", change: () => this.kept() }, ...EFFORTS.map(([value, text]) => make("option", { value, text: `${text} settings` })));
    this.seeds = make("input", { type: "number", id: "seeds", min: 1, max: 20, value: 3, change: () => this.kept() });
    this.optimiser = make("select", { id: "optimiser", change: () => this.kept() }, ...[["auto", "CMA-ES where it is installed"], ["cma", "CMA-ES"], ["differential_evolution", "differential evolution"], ["optuna", "Optuna (small budgets)"]].map(([value, text]) => make("option", { value, text })));
    this.effort.value = "6000";
    this.cost = make("p", { class: "soft", id: "estimate" });
    this.bounds = make("div", { class: "bounds" });
    this.scores = make("div", { class: "options" });
    const button = (id, text, op, kind = "") => make("button", { id, class: kind, text, click: () => this.act(op) });
    this.buttons = {
      start: make("button", { id: "fit-start", class: "main", text: "Fit", click: () => this.start() }),
      pause: button("fit-pause", "Pause", "fit_pause"), resume: button("fit-resume", "Go on", "fit_resume", "main"),
      stop: button("fit-stop", "Stop and keep", "fit_stop"),
    };
    this.progress = make("progress", { max: 1, value: 0, "aria-label": "Progress of the fit" });
    this.state = make("p", { class: "soft", id: "fit-state", role: "status", text: "No fit yet." });
    this.host = make("div", { class: "plot" });
    this.legend = make("div", { class: "legend" });
    this.ranking = make("div", { class: "scroll" });
    this.best = new BestTrace(studio, () => studio.current === this && !document.hidden);
    document.addEventListener("visibilitychange", () => this.best.wish());
    this.element = make("div", { class: "columns" },
      make("aside", { class: "panel", "aria-label": "What is searched" },
        make("h2", { text: "Candidates" }),
        make("div", { class: "row" },
          make("button", { class: "small", text: "All", click: () => this.choose(() => true) }),
          make("button", { class: "small", text: "Lava's own", click: () => this.choose((c) => c.stock) }),
          make("button", { class: "small", text: "None", click: () => this.choose(() => false) })),
        this.boxes,
        make("h2", { text: "Budget" }),
        make("div", { class: "options" },
          make("label", { for: "effort", text: "A candidate and seed" }), this.effort,
          make("label", { for: "seeds", text: "Seeds" }), this.seeds,
          make("label", { for: "optimiser", text: "Optimiser" }), this.optimiser),
        this.cost,
        make("details", { id: "fit-bounds" }, make("summary", { text: "Bounds" }), this.bounds),
        make("details", { id: "fit-weights" }, make("summary", { text: "Weights of the loss" }),
          make("p", { class: "soft about", text: "What the search makes small on the trained spans. Only ratios count; 0 leaves a score out. The ranking is by Γ held out, whatever the weights." }),
          this.scores,
          make("div", { class: "row" }, make("button", { class: "small", text: "Reset weights", click: () => { this.weights.clear(); this.showWeights(); this.kept(); } }))),
        make("p", { class: "soft about", text: "The chip's time step, how the current enters, the window of coincidence and locked parameters are taken from Tune. What is held out is never seen by the search." })),
      make("div", { class: "stage" },
        make("div", {}, make("div", { class: "row" }, ...Object.values(this.buttons), this.progress), this.state),
        make("div", {}, make("h2", { text: "Training loss" }), this.legend, this.host),
        this.best.element,
        make("div", {}, make("h2", { text: "Ranking" }), this.ranking),
        this.code.element));
    this.changed = new Map();
    this.weights = new Map();
  }

  begin({ header }) {
    const names = header.candidates.map((c) => c.name).join();
    if (this.names !== names) {
      this.names = names;
      this.boxes.replaceChildren(...header.candidates.map((c) => {
        const id = `fit-${c.name}`;
        return make("label", { for: id, title: c.title }, make("input", { type: "checkbox", id, value: c.name, checked: true, change: () => this.selected() }),
          make("b", { text: c.name }), make("span", { class: "soft", text: ` ${c.title}` }));
      }));
    }
    this.terms = header.fitting.weights;
    this.set(header.fitting.chosen);
  }

  /** Set everything as the session has it. */
  set(chosen) {
    this.accepted = chosen;
    for (const box of this.boxes.querySelectorAll("input")) box.checked = !chosen.candidates || chosen.candidates.includes(box.value);
    if (!EFFORTS.some(([value]) => value === chosen.evaluations)) this.effort.append(make("option", { value: chosen.evaluations, text: `${chosen.evaluations} settings` }));
    this.effort.value = String(chosen.evaluations);
    this.seeds.value = chosen.seeds;
    this.optimiser.value = chosen.optimiser;
    this.changed = new Map(Object.entries(chosen.bounds).flatMap(([name, each]) => Object.entries(each).map(([parameter, ends]) => [`${name} ${parameter}`, ends])));
    this.weights = new Map(Object.entries(chosen.weights));
    this.showBounds();
    this.showWeights();
  }

  /** Keep what is set; what can't be is told, and everything is as before. */
  async kept() {
    const given = this.given();
    const answer = await this.studio.ask("fit_choose", given);
    if (!answer) {
      this.set(this.accepted);
      return;
    }
    this.accepted = given;
    this.studio.history(answer.header);
    this.estimate();
    this.code.refresh();
  }

  get chosen() {
    return [...this.boxes.querySelectorAll("input:checked")].map((box) => box.value);
  }

  choose(test) {
    for (const box of this.boxes.querySelectorAll("input")) {
      box.checked = test(this.studio.about.candidates.find((c) => c.name === box.value));
    }
    this.selected();
  }

  selected() {
    this.showBounds();
    this.kept();
  }

  showWeights() {
    this.scores.replaceChildren(...this.terms.flatMap(({ name, meaning, first }) => {
      const id = `weight-${name}`;
      const input = make("input", {
        type: "text", inputmode: "decimal", class: "number", id, value: String(this.weights.get(name) ?? first),
        change: () => {
          const value = input.value.trim() ? Number(input.value.replaceAll("−", "-").replace(",", ".")) : first;
          if (value === first) this.weights.delete(name);
          else this.weights.set(name, value);
          this.kept();
        },
      });
      return [make("label", { for: id, title: meaning, text: name.replaceAll("_", " ") }), input, make("span", { class: "soft about wide", text: meaning })];
    }));
  }

  showBounds() {
    const unit = this.studio.about.target.unit;
    this.bounds.replaceChildren(...this.studio.about.candidates.filter((c) => this.chosen.includes(c.name)).map((c) => make("details", {},
      make("summary", { text: c.name }),
      make("div", { class: "options" }, ...c.parameters.flatMap((p) => {
        const { factor, unit: text } = shown(p.unit, unit);
        const field = (k) => make("input", {
          type: "text", class: "number", "aria-label": `${p.meaning}, ${k ? "highest" : "lowest"}`, value: digits((this.changed.get(`${c.name} ${p.name}`) ?? p.bounds)[k] * factor).replaceAll("−", "-"),
          change: (event) => {
            const ends = [...(this.changed.get(`${c.name} ${p.name}`) ?? p.bounds)];
            ends[k] = Number(event.target.value.replaceAll("−", "-").replace(",", ".")) / factor;
            this.changed.set(`${c.name} ${p.name}`, ends);
            this.kept();
          },
        });
        return [make("label", { text: p.name, title: p.meaning }), make("span", { class: "row tight" }, field(0), "–", field(1), make("span", { class: "soft", text }))];
      })))));
  }

  given() {
    const bounds = {};
    for (const [key, ends] of this.changed) {
      const [name, parameter] = key.split(" ");
      (bounds[name] ??= {})[parameter] = ends;
    }
    return { candidates: this.chosen, evaluations: Number(this.effort.value), seeds: Number(this.seeds.value), optimiser: this.optimiser.value, bounds, weights: Object.fromEntries(this.weights) };
  }

  async estimate() {
    if (!this.chosen.length) {
      this.cost.textContent = "Choose at least one candidate.";
      return;
    }
    this.cost.textContent = "Measuring how long that takes here …";
    const answer = await this.studio.ask("fit_estimate", this.given(), { key: "estimate" });
    if (!answer) this.cost.textContent = "";
  }

  async start() {
    const answer = await this.studio.ask("fit_start", this.given());
    if (answer) this.show(answer.header.fit, answer.arrays);
    this.code.refresh();
  }

  async act(op) {
    const answer = await this.studio.ask(op, {});
    if (answer) this.show(answer.header.fit, answer.arrays);
  }

  news(header, arrays) {
    if (header.news === "fit") this.show(header.fit, arrays);
  }

  show(fit, arrays) {
    if (fit.estimate) this.cost.textContent = `About ${duration(fit.estimate)} on this machine.`;
    const { start, pause, resume, stop } = this.buttons;
    start.disabled = fit.running;
    pause.hidden = !fit.running;
    resume.hidden = !fit.can_resume;
    stop.hidden = !(fit.running || fit.can_resume);
    this.progress.value = fit.done ?? 0;
    this.progress.hidden = !fit.running && !fit.can_resume;
    if (fit.error) this.state.textContent = fit.error;
    else if (fit.running) this.state.textContent = `${Math.round(fit.done * 100)} %, ${duration(fit.seconds)} so far, about ${duration(fit.left)} left`;
    else if (fit.can_resume) this.state.textContent = `Paused at ${Math.round(fit.done * 100)} %.`;
    else if (fit.rows.length) this.state.textContent = `Done in ${duration(fit.seconds)}.`;
    this.state.classList.toggle("wrong", Boolean(fit.error));
    this.showCurves(fit.candidates ?? [], arrays);
    this.showRanking(fit.rows);
    this.best.know(fit.bests);
  }

  showCurves(names, arrays) {
    const known = names.filter((name) => arrays[`${name}_loss`]);
    if (!known.length) return;
    if (this.shownNames !== known.join()) {
      this.shownNames = known.join();
      this.plot?.remove();
      this.plot = new Plot(this.host, {
        height: 240, yLabel: "loss", xLabel: "settings tried, a seed", y: { range: (u, low, high) => [0, Math.min(Math.max(high, 0.2), 1.2)] },
        series: known.map((name, k) => line(name, STYLES[k % STYLES.length][0], { dash: STYLES[k % STYLES.length][1], width: 1.6, spanGaps: true })),
      });
      this.legend.replaceChildren(...known.map((name, k) => make("span", { class: "key" }, make("i", { class: `swatch ${STYLES[k % STYLES.length][0]}${STYLES[k % STYLES.length][1].length ? " dashed" : ""}` }), name)));
    }
    const every = [...new Set(known.flatMap((name) => [...arrays[`${name}_spent`]]))].sort((a, b) => a - b);
    this.plot.set([every, ...known.map((name) => held(every, arrays[`${name}_spent`], arrays[`${name}_loss`]))]);
  }

  showRanking(rows) {
    if (!rows.length) {
      this.ranking.replaceChildren(make("p", { class: "soft", text: "The candidates appear here, best held-out score first, as soon as something has been found." }));
      return;
    }
    const head = ["", "candidate", "Γ held out", "mean ± spread of seeds", "Γ trained", "process", "tried", "seconds", ""];
    this.ranking.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { text })))),
      make("tbody", {}, ...rows.map((row, k) => make("tr", { "data-candidate": row.candidate },
        make("td", { class: "figure", text: k + 1 }), make("th", { scope: "row", title: row.title, text: row.candidate }),
        make("td", { class: "figure", text: fixed(row.held_out, 3) }),
        make("td", { class: "figure", text: `${fixed(row.held_out_mean, 3)} ± ${fixed(row.held_out_spread, 3)}` }),
        make("td", { class: "figure", text: fixed(row.train, 3) }), make("td", { text: row.stock ? "Lava's" : "ours" }),
        make("td", { class: "figure", text: row.evaluations }), make("td", { class: "figure", text: fixed(row.seconds, 1) }),
        make("td", {}, make("button", { class: "small", text: "Tune", title: `Put ${row.candidate} on the bench`, click: () => this.adopt(row.candidate) })))))));
  }

  async adopt(name) {
    const answer = await this.studio.ask("adopt", { name, width: 1200 });
    if (!answer) return;
    this.studio.show(answer);
    this.studio.pick("tune");
  }

  async entered() {
    const answer = await this.studio.ask("fit_status", {});
    if (answer) this.show(answer.header.fit, answer.arrays);
    this.plot?.redraw();
    if (!this.cost.textContent) this.estimate();
    this.code.refresh();
  }
}

/** Values of a falling staircase at other places; null before its beginning. */
function held(places, spent, loss) {
  let k = -1;
  return places.map((place) => {
    while (k + 1 < spent.length && spent[k + 1] <= place) k++;
    return k < 0 ? null : loss[k];
  });
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "a moment";
  if (seconds < 90) return `${digits(seconds, 2)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${fixed(seconds / 3600, 1)} h`;
}
