// Small pieces of pages: elements, numbers, messages.

/** An element; attributes that are functions listen, "text" is its text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const QUANTITIES = {
  s: { factor: 1e3, unit: "ms" },
  Hz: { factor: 1, unit: "Hz" },
  threshold: { factor: 1, unit: "θ" },
  1: { factor: 1, unit: "" },
};

/** How a parameter is shown: its value times `factor`, in `unit`. */
export function shown(unit, currentUnit) {
  if (unit === "1/I") {
    return currentUnit === "A" ? { factor: 1e-9, unit: "θ/nA" } : { factor: 1, unit: "θ per unit" };
  }
  return QUANTITIES[unit] ?? { factor: 1, unit };
}

/** How the stimulus is shown. */
export function current(unit) {
  return unit === "A" ? { factor: 1e9, unit: "nA" } : { factor: 1, unit: unit === "1" ? "" : unit };
}

/** A number in so many digits, without a tail of zeros; an em dash for none. */
export function digits(value, count = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(count))).replaceAll("-", "−");
}

/** With so many decimals. */
export function fixed(value, count = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toFixed(count).replaceAll("-", "−");
}

/** A message at the bottom of the page, which goes by itself or by a click. */
export function tell(text, kind = "error") {
  const host = document.getElementById("messages");
  for (const old of host.children) if (old.dataset.text === text) old.remove();
  const note = make("div", { class: `message ${kind}`, role: "alert" },
    make("span", { text }),
    make("button", { class: "plain", "aria-label": "Dismiss", text: "×", click: () => note.remove() }));
  note.dataset.text = text;
  host.append(note);
  while (host.children.length > 3) host.firstChild.remove();
  setTimeout(() => note.remove(), kind === "error" ? 15000 : 5000);
}

/** The equivalent Python, folded, asked for when opened and after changes while open. */
export class CodeFold {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.text = make("pre", { tabindex: "0", "aria-label": "Equivalent Python code" });
    this.element = make("details", { class: "code", toggle: () => this.refresh() },
      make("summary", { text: "The same in Python" }),
      make("button", {
        class: "small", text: "Copy",
        click: () => navigator.clipboard.writeText(this.text.textContent).then(
          () => tell("Copied.", "note"), () => tell("The browser does not let the page copy; select the text.")),
      }),
      this.text);
  }

  async refresh() {
    if (!this.element.open) return;
    const answer = await this.studio.ask("code", { page: this.page }, { key: `code ${this.page}` });
    if (answer) this.text.textContent = answer.header.code;
  }
}

/** Tabs with arrow keys; `choose(name)` is called with the name of the chosen one. */
export function tabs(host, names, choose) {
  const buttons = names.map(([name, title]) => make("button", {
    role: "tab", text: title, "data-name": name, "aria-selected": "false", tabindex: "-1",
    click: () => pick(name),
    keydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const k = names.findIndex(([each]) => each === name);
      const other = names[(k + step + names.length) % names.length][0];
      pick(other);
      buttons.find((button) => button.dataset.name === other).focus();
    },
  }));
  host.replaceChildren(...buttons);
  function pick(name) {
    for (const button of buttons) {
      const chosen = button.dataset.name === name;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    choose(name);
  }
  return pick;
}
