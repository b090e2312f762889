// The numbers: held-out spans large, training spans and floating point beside them.

import { digits, fixed, make } from "./page.js";

const pick = (scores, field, k = 0) => {
  const value = scores?.[field];
  return Array.isArray(value) ? value[k] : value;
};

/** name, title, how to read it, decimals, and where it is: quick or full scores. */
const TILES = [
  ["gamma2", "Γ at 2 ms", "Gamma factor: coincidences beyond chance, one to one, over the recording's reliability. 1 is perfect.", (s) => pick(s, "gamma", 0), 3],
  ["gamma4", "Γ at 4 ms", "The same with a window of 4 ms.", (s) => pick(s, "gamma", 1), 3],
  ["precision", "precision", "Part of the model's spikes that the target has too.", (s) => pick(s, "precision", 0), 2],
  ["recall", "recall", "Part of the target's spikes that the model has too.", (s) => pick(s, "recall", 0), 2],
  ["latency", "latency (ms)", "Mean of model minus target over matched spikes.", (s) => 1e3 * pick(s, "latency_mean", 0), 2],
  ["variance", "explained variance", "At 10 ms, over what the repeats' mean explains.", (s) => s?.explained_variance, 2],
  ["vp", "Victor-Purpura", "Cost of making one train the other; 200/s.", (s) => s?.victor_purpura, 1],
  ["vr", "van Rossum", "Distance of the trains, filtered by 10 ms.", (s) => s?.van_rossum, 2],
  ["rate", "rate (Hz)", "Of the model; the target's is below.", (s) => s?.rate, 1],
];

export class Tiles {
  constructor(host) {
    this.parts = new Map();
    const tiles = TILES.map(([name, title, meaning]) => this.tile(name, title, meaning, "held out", "train"));
    tiles.push(this.tile("loss", "lost by rounding", "Γ in floating point minus Γ on the chip, at 2 ms and the same physical parameters.", "held out", "train"));
    tiles.push(this.tile("states", "wrapped, saturated", "Steps in which a state of the chip left its range.", "steps", ""));
    host.replaceChildren(...tiles);
  }

  tile(name, title, meaning, large, small) {
    const parts = { large: make("b", { text: "–" }), small: make("span", { text: "–" }), note: make("span", {}) };
    this.parts.set(name, parts);
    return make("div", { class: "tile", title: meaning, "data-tile": name },
      make("span", { class: "title", text: title }), parts.large,
      make("span", { class: "kind", text: large }),
      make("span", { class: "second" }, small ? `${small} ` : "", parts.small), parts.note);
  }

  put(name, large, small, decimals, note = "") {
    const parts = this.parts.get(name);
    parts.large.textContent = fixed(large, decimals);
    parts.small.textContent = typeof small === "string" ? small : fixed(small, decimals);
    parts.note.textContent = note;
    parts.large.parentElement.classList.remove("stale");
  }

  /** At once: what comes with a picture. */
  quick(header) {
    const { chip_scores: chip, real_scores: real } = header;
    for (const [name] of TILES) this.parts.get(name).large.parentElement.classList.add("stale");
    const held = chip.held_out, train = chip.train;
    const spread = held?.spread ? `± ${fixed(held.spread, 3)} over repeats` : "";
    this.put("gamma2", held?.gamma, train?.gamma, 3, spread);
    this.put("precision", held?.precision, train?.precision, 2);
    this.put("recall", held?.recall, train?.recall, 2);
    this.put("latency", held ? held.latency * 1e3 : null, train ? train.latency * 1e3 : null, 2);
    const loss = (kind) => (real[kind]?.gamma ?? NaN) - (chip[kind]?.gamma ?? NaN);
    this.put("loss", loss("held_out"), loss("train"), 3);
    const counters = Object.entries(header.counters);
    this.put("states", counters.reduce((sum, [, n]) => sum + n, 0),
      counters.filter(([, n]) => n).map(([name, n]) => `${name} ${n}`).join(", ") || "none", 0);
  }

  /** All numbers, over all sweeps. */
  full({ scores }) {
    const { held_out: held, train } = scores.chip;
    for (const [name, , , read, decimals] of TILES) {
      const note = name === "rate" && held ? `target ${digits(held.target_rate, 3)}` : "";
      this.put(name, held ? read(held) : null, train ? read(train) : null, decimals, note);
    }
    const why = [...(held?.refused ?? []), ...(train?.refused ?? [])];
    this.parts.get("gamma2").note.textContent = why.length ? "refused; see tip" : this.parts.get("gamma2").note.textContent;
    if (why.length) this.parts.get("gamma2").large.parentElement.title = why.join("\n");
  }
}
