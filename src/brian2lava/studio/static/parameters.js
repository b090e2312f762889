// The panel of parameters: a slider in physical units, the register beside it, lock, log, reset.

import { digits, make, shown } from "./page.js";

const STEPS = 1000;

class Row {
  constructor(panel, given) {
    this.panel = panel;
    this.name = given.name;
    this.given = given;
    this.log = given.log;
    const id = `p-${given.name}`;
    this.slider = make("input", {
      type: "range", id, min: 0, max: STEPS, step: 1, class: "slider",
      input: (event) => this.slid(event), keydown: (event) => this.key(event),
    });
    this.value = make("input", {
      type: "text", inputmode: "decimal", class: "number", "aria-label": `${given.meaning}, value`,
      change: () => this.typed(),
    });
    this.unit = make("span", { class: "unit" });
    this.register = make("input", {
      type: "number", step: 1, class: "register", "aria-label": `register ${given.register}`,
      change: () => panel.send("set_register", { name: this.given.register, value: Number(this.register.value) }, this.name),
    });
    this.error = make("span", { class: "rounding", title: "what rounding to the register did to the value" });
    this.lock = make("button", {
      class: "plain lock", "aria-pressed": "false",
      click: () => panel.send("lock", { name: this.name, locked: !this.given.locked }),
    });
    this.scale = make("button", {
      class: "plain", title: "Logarithmic or linear slider", "aria-label": `${given.meaning}: logarithmic slider`,
      click: () => { this.log = !this.log; this.show(this.given); },
    });
    this.element = make("div", { class: "parameter", "data-name": given.name },
      make("label", { for: id, title: given.meaning }, given.meaning),
      make("span", { class: "buttons" }, this.scale, this.lock,
        make("button", {
          class: "plain", text: "reset", title: "Back to where it began", "aria-label": `Reset ${given.meaning}`,
          click: () => panel.send("reset", { name: this.name }),
        })),
      this.slider,
      make("span", { class: "fields" },
        this.value, this.unit, make("code", { text: given.register }), this.register, this.error));
    this.show(given);
  }

  bounds() {
    let [low, high] = this.given.bounds;
    low = Math.min(low, this.given.value);
    high = Math.max(high, this.given.value);
    return [low, high];
  }

  place(value) {
    const [low, high] = this.bounds();
    const part = this.log && low > 0
      ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
      : (value - low) / (high - low);
    return Math.round(part * STEPS);
  }

  slid(event) {
    const [low, high] = this.bounds();
    const part = Number(this.slider.value) / STEPS;
    const value = this.log && low > 0 ? low * (high / low) ** part : low + (high - low) * part;
    this.panel.send("set_value", { name: this.name, value }, this.name, event.timeStamp);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 16, PageDown: -16 }[event.key];
    if (!step) return;
    event.preventDefault();
    const by = event.shiftKey ? step * 16 : step;
    this.panel.send("step_parameter", { name: this.name, by }, null, event.timeStamp);
  }

  typed() {
    const text = this.value.value.replaceAll("−", "-").replace(",", ".");
    const { factor } = shown(this.given.unit, this.panel.currentUnit());
    this.panel.send("set_value", { name: this.name, value: Number(text) / factor }, this.name);
  }

  show(given) {
    this.given = given;
    const { factor, unit } = shown(given.unit, this.panel.currentUnit());
    if (document.activeElement !== this.slider || !this.slider.matches(":active")) {
      this.slider.value = this.place(given.value);
    }
    if (document.activeElement !== this.value) this.value.value = digits(given.value * factor);
    this.slider.setAttribute("aria-valuetext", `${digits(given.value * factor)} ${unit}`);
    this.unit.textContent = unit;
    if (document.activeElement !== this.register || this.panel.fresh) this.register.value = given.number;
    this.register.min = given.low;
    this.register.max = given.high;
    const off = given.value ? (given.got - given.value) / Math.abs(given.value) : given.got - given.value;
    this.error.textContent = Math.abs(off) < 5e-4 ? "exact" : `${off > 0 ? "+" : "−"}${digits(Math.abs(off) * 100, 2)} %`;
    this.error.classList.toggle("large", Math.abs(off) > 0.05);
    this.lock.textContent = given.locked ? "locked" : "lock";
    this.lock.setAttribute("aria-pressed", String(given.locked));
    this.lock.setAttribute("aria-label", `${given.locked ? "Unlock" : "Lock"} ${given.meaning}`);
    this.lock.title = given.locked ? "Locked: nothing moves it" : "Lock: neither you nor a fit moves it";
    this.scale.textContent = this.log ? "log" : "lin";
    for (const input of [this.slider, this.value, this.register]) input.disabled = given.locked;
  }
}

export class Parameters {
  /** `send(op, given, key, since)` asks the server; `currentUnit()` is the stimulus's. */
  constructor(host, send, currentUnit) {
    this.host = host;
    this.send = send;
    this.currentUnit = currentUnit;
    this.rows = new Map();
    this.candidate = null;
    this.fresh = true;
  }

  show(header) {
    const registers = new Map(header.registers.map((register) => [register.name, register]));
    const rows = header.parameters.map((parameter) => {
      const { value: number, low, high } = registers.get(parameter.register);
      return { ...parameter, number, low, high };
    });
    const names = header.candidate + header.parameters.map((p) => p.name).join();
    if (names !== this.candidate) {
      this.candidate = names;
      this.rows = new Map(rows.map((row) => [row.name, new Row(this, row)]));
      this.host.replaceChildren(...[...this.rows.values()].map((row) => row.element));
      return;
    }
    for (const row of rows) this.rows.get(row.name).show(row);
  }
}
