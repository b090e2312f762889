// Starts the page: views, theme, history, connection.

import { BatchView } from "./batch.js";
import { Connection } from "./connection.js";
import { CompareView } from "./compare.js";
import { ExportView } from "./export.js";
import { FitView } from "./fit.js";
import { tabs, tell } from "./page.js";
import { redrawAll } from "./plot.js";
import { PrecisionView } from "./precision.js";
import { SynapseView } from "./synapse.js";
import { TargetView } from "./target.js";
import { Tune } from "./tune.js";

const VIEWS = [
  ["target", "Target", TargetView], ["tune", "Tune", Tune], ["fit", "Fit", FitView], ["compare", "Compare", CompareView],
  ["export", "Export", ExportView],
  ["precision", "Precision", PrecisionView], ["synapse", "Synapse", SynapseView],
  ["batch", "Batch", BatchView],
];

class Studio {
  constructor() {
    this.status = document.getElementById("status");
    this.views = new Map(VIEWS.map(([name, , View]) => [name, new View(this)]));
    this.place = document.getElementById("view");
    this.pick = tabs(document.getElementById("views"), VIEWS.map(([name, title]) => [name, title]), (name) => this.enter(name));
    this.undo = document.getElementById("undo");
    this.redo = document.getElementById("redo");
    this.undo.onclick = () => this.change("undo");
    this.redo.onclick = () => this.change("redo");
    document.getElementById("theme").onclick = () => this.turnTheme();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.pick(this.fromHash()));
    this.times = [];
    this.connection = new Connection({
      onOpen: () => this.opened(),
      onClose: () => this.say("The server is away. Start `brian2lava studio` again and open the address that it prints; nothing is lost.", true),
      onNews: ({ header, arrays }) => this.news(header, arrays),
    });
    this.pick(this.fromHash());
  }

  fromHash() {
    const name = location.hash.slice(1);
    return this.views.has(name) ? name : "tune";
  }

  enter(name) {
    this.current = this.views.get(name);
    this.place.replaceChildren(this.current.element);
    if (location.hash.slice(1) !== name) history.replaceState(null, "", `#${name}`);
    if (this.about) this.current.entered();
  }

  async opened() {
    this.say("connected");
    const answer = await this.ask("hello", { width: 1200 });
    if (!answer) return;
    this.show(answer);
    this.current.entered();
    document.documentElement.dataset.ready = "yes";
  }

  /** A target or a candidate that is another: every view begins anew. */
  show(answer) {
    this.about = { target: answer.header.target, candidates: answer.header.candidates };
    this.reach = answer.header.reach;
    for (const view of this.views.values()) view.begin?.(answer);
    this.history(answer.header);
  }

  change(op, given = {}) {
    return this.views.get("tune").ask(op, given);
  }

  /** Ask the server; errors are told, and the answer is null. */
  async ask(op, given, options) {
    try {
      return await this.connection.ask(op, given, options);
    } catch (error) {
      tell(error.message);
      return null;
    }
  }

  news(header, arrays) {
    if (header.news === "trouble") tell(header.error);
    for (const view of this.views.values()) view.news?.(header, arrays);
  }

  history(header) {
    this.undo.disabled = !header.undo;
    this.redo.disabled = !header.redo;
  }

  say(text, wrong = false) {
    this.status.textContent = text;
    this.status.classList.toggle("wrong", wrong);
  }

  measured(ms) {
    this.times.push(ms);
    this.say(`redrawn in ${ms.toFixed(0)} ms`);
    document.documentElement.dataset.redraws = this.times.length;
  }

  turnTheme() {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    localStorage.setItem("studio-theme", root.dataset.theme);
    redrawAll();
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text], input[type=number], textarea")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.change("undo");
    else if (key === "y" || (key === "z" && event.shiftKey)) this.change("redo");
    else return;
    event.preventDefault();
  }
}

window.studio = new Studio();
