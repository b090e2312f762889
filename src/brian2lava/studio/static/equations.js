// Equations of one's own: fields, a table of what they leave open, and errors beside each field.

import { make, tell } from "./page.js";

const STIMULI = {
  Noise: { mean: [0.4, "current"], sigma: [0.2, "current"], tau: [10, "ms"], duration: [3, "s"], seed: [1, ""] },
  Step: { amplitude: [0.5, "current"], duration: [1, "s"] },
  Ramp: { start: [0, "current"], stop: [1, "current"], duration: [2, "s"] },
};

export class EquationsForm {
  constructor(studio, chosen) {
    this.studio = studio;
    this.chosen = chosen;
    this.errors = {};
    this.rows = { parameters: {}, initial: {} };
    const text = (id, attributes = {}) => make("input", { type: "text", id: `eq-${id}`, spellcheck: "false", autocomplete: "off", change: () => this.check(), ...attributes });
    const area = (id, rows) => make("textarea", { id: `eq-${id}`, rows, spellcheck: "false", change: () => this.check() });
    this.fields = {
      equations: area("equations", 5), threshold: text("threshold"), reset: area("reset", 2), refractory: text("refractory", { placeholder: "none" }),
      method: make("select", { id: "eq-method", change: () => this.check() }), voltage: text("voltage"), input: text("input"), input_unit: text("input_unit"),
    };
    const titles = {
      equations: "Differential equations", threshold: "Threshold", reset: "Reset", refractory: "Refractory period", method: "Integrator",
      voltage: "Voltage variable", input: "Input variable", input_unit: "Unit of the input",
    };
    const row = (name) => [make("label", { for: `eq-${name}`, text: titles[name] }), this.fields[name], this.error(name, this.fields[name])];
    this.tables = { parameters: make("div", { class: "table" }), initial: make("div", { class: "table" }) };
    this.stimulus = make("select", { id: "eq-stimulus", change: () => this.showStimulus() },
      ...[["Noise", "noise"], ["Step", "a constant current"], ["Ramp", "a ramp"]].map(([value, title]) => make("option", { value, text: title })));
    this.stimulusRows = make("div", { class: "options" });
    this.step = make("select", { id: "eq-dt" }, ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].map((ms) => make("option", { value: ms / 1e3, text: `${ms} ms` })));
    this.step.value = "0.0002";
    this.said = make("p", { class: "wrong", id: "eq-said", role: "status" });
    this.element = make("section", { class: "equations" }, make("h2", { text: "Equations" }),
      make("details", { id: "eq-details" }, make("summary", { text: "Brian2 equations of your own" }),
        make("div", { class: "stack" }, ...["equations", "threshold", "reset", "refractory"].flatMap(row)),
        make("h3", { text: "Parameters" }), this.tables.parameters,
        make("h3", { text: "First values" }), this.tables.initial,
        make("h3", { text: "Stimulus and integration" }),
        make("div", { class: "options" }, ...["input", "input_unit", "voltage", "method"].flatMap(row),
          make("label", { for: "eq-stimulus", text: "Stimulus" }), this.stimulus, make("label", { for: "eq-dt", text: "Time step" }), this.step),
        this.stimulusRows,
        make("button", { class: "main", id: "use-equations", text: "Use these equations", click: () => this.use() }), this.said));
    this.showStimulus();
  }

  /** The place of a field's error, which the field points to. */
  error(name, field) {
    const id = `eq-error-${name.replaceAll(" ", "-")}`;
    this.errors[name] = make("span", { class: "wrong field-error", id, hidden: true });
    field.setAttribute("aria-describedby", id);
    return this.errors[name];
  }

  /** As the server has it: the target's equations, or an example; what was typed here stays. */
  async fill() {
    const answer = await this.studio.ask("equations", {}, { key: "equations" });
    if (!answer) return;
    const { form, methods, typed, stimulus, dt } = answer.header;
    const text = JSON.stringify([form, stimulus, dt]);
    if (text === this.filled) return;
    this.filled = text;
    this.fields.method.replaceChildren(...methods.map((name) => make("option", { value: name, text: name || "Brian2 chooses" })));
    for (const [name, field] of Object.entries(this.fields)) field.value = form[name];
    this.kept = { parameters: { ...form.parameters }, initial: { ...form.initial } };
    if (typed) {
      this.element.querySelector("details").open = true;
      this.stimulus.value = stimulus.kind;
      this.step.value = String(dt);
    }
    this.showStimulus(stimulus);
    this.show(answer.header);
  }

  async check() {
    const answer = await this.studio.ask("check_equations", { form: this.form() }, { key: "check_equations" });
    if (answer) this.show(answer.header);
  }

  form() {
    const form = Object.fromEntries(Object.entries(this.fields).map(([name, field]) => [name, field.value]));
    for (const [name, { value, unit }] of Object.entries(this.rows.parameters)) this.kept.parameters[name] = { value: value.value, unit: unit.value };
    for (const [name, { value }] of Object.entries(this.rows.initial)) this.kept.initial[name] = value.value;
    const parameters = Object.fromEntries(Object.entries(this.kept.parameters).filter(([, { value }]) => value !== ""));
    return { ...form, parameters, initial: { ...this.kept.initial } };
  }

  show({ errors, parameters, states, input, voltage }) {
    if (states.length) {
      this.table("parameters", Object.keys(parameters), (name) => this.parameter(name, parameters[name]));
      this.table("initial", states, (name) => this.first(name));
    }
    this.fields.input.placeholder = input;
    this.fields.voltage.placeholder = voltage || "none";
    for (const [name, place] of Object.entries(this.errors)) {
      place.textContent = errors[name] ?? "";
      place.hidden = !errors[name];
    }
    const count = Object.keys(errors).length;
    this.said.textContent = count ? `${count === 1 ? "One field needs" : `${count} fields need`} another look.` : "";
    this.wrong = count > 0;
  }

  /** Rows of a table; those that stay keep the element that is typed in. */
  table(table, names, makeRow) {
    const old = this.rows[table];
    if (names.join() === Object.keys(old).join()) return;
    if (this.kept) this.form(); // what was typed in rows that go
    this.rows[table] = Object.fromEntries(names.map((name) => [name, old[name] ?? makeRow(name)]));
    this.tables[table].replaceChildren(...names.flatMap((name) => this.rows[table][name].elements));
  }

  parameter(name, guessed) {
    const kept = this.kept.parameters[name] ?? {};
    const field = (what, value) => make("input", {
      type: "text", id: `eq-${what}-${name}`, value, spellcheck: "false", class: what, change: () => this.check(), "aria-label": `${what} of ${name}`,
    });
    const value = field("value", kept.value ?? "");
    const unit = field("unit", kept.unit || guessed);
    return { value, unit, elements: [make("label", { for: value.id, text: name }), value, unit, this.error(`value ${name}`, value)] };
  }

  first(name) {
    const value = make("input", {
      type: "text", id: `eq-initial-${name}`, value: this.kept.initial[name] ?? "", placeholder: "0", spellcheck: "false", class: "expression",
      change: () => this.check(), "aria-label": `first value of ${name}`,
    });
    return { value, elements: [make("label", { for: value.id, text: name }), value, this.error(`initial ${name}`, value)] };
  }

  get amperes() {
    return (this.fields.input_unit.value || "amp") === "amp";
  }

  showStimulus(given = {}) {
    const factors = { current: this.amperes ? 1e9 : 1, ms: 1e3 };
    this.values = {};
    this.stimulusRows.replaceChildren(...Object.entries(STIMULI[this.stimulus.value]).flatMap(([name, [first, kind]]) => {
      const factor = factors[kind] ?? 1;
      const value = given[name] === undefined ? first : Number((given[name] * factor).toPrecision(12));
      const input = make("input", { type: "text", inputmode: "decimal", id: `eq-stimulus-${name}`, value });
      this.values[name] = { input, factor };
      const unit = kind === "current" ? (this.amperes ? "nA" : "") : kind;
      return [make("label", { for: input.id, text: name }), make("span", { class: "row" }, input, unit)];
    }));
  }

  async use() {
    await this.check();
    if (this.wrong) {
      Object.values(this.errors).find((place) => !place.hidden)?.scrollIntoView({ block: "center" });
      return;
    }
    const stimulus = { kind: this.stimulus.value };
    for (const [name, { input, factor }] of Object.entries(this.values)) stimulus[name] = Number(input.value.replace(",", ".")) / factor;
    try {
      const answer = await this.studio.connection.ask("from_equations", { form: this.form(), stimulus, dt: Number(this.step.value), width: 1200 });
      if (answer) this.chosen(answer);
    } catch (error) {
      this.said.textContent = error.message;
      tell(error.message);
    }
  }
}
