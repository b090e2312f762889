// uPlot with the page's colours, zoom and cursor shared by plots over the same time.

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const FONT = "11px system-ui, sans-serif";
const all = new Set();

/** For plots that stand above another one over the same axis: no numbers below. */
export const BARE = { xAxis: { size: 8, values: () => [], ticks: { show: false } } };

/** Draw everything again, as after a change of colours. */
export function redrawAll() {
  for (const plot of all) plot.redraw(false);
}

function axis(label, extra = {}) {
  return {
    stroke: () => colour("ink-soft"), font: FONT, labelFont: FONT, label, labelSize: label ? 16 : 0,
    labelGap: 0, size: 52, gap: 4,
    grid: { stroke: () => colour("grid"), width: 1 }, ticks: { stroke: () => colour("grid"), width: 1, size: 4 },
    values: (plot, values) => values.map((v) => String(Number(v.toPrecision(6))).replaceAll("-", "−")),
    ...extra,
  };
}

export function line(label, name, extra = {}) {
  return { label, stroke: () => colour(name), width: 1.25, points: { show: false }, ...extra };
}

/** A plot that fills the width of its host and has a fixed height. */
export class Plot {
  constructor(host, { height = 160, series, yLabel = "", xLabel = "", x = {}, y = {}, scales = {},
    hooks = {}, cursor = {}, xAxis = {}, yAxis = {}, mode = 1 } = {}) {
    this.host = host;
    this.height = height;
    const options = {
      width: Math.max(120, host.clientWidth), height, mode, legend: { show: false }, padding: [6, 10, 0, 0],
      scales: { x: { time: false, ...x }, y, ...scales },
      axes: [axis(xLabel, { size: 24, ...xAxis }), axis(yLabel, yAxis)],
      series: [{}, ...series],
      cursor: { points: { show: false }, drag: { x: true, y: false, setScale: false }, ...cursor },
      hooks,
    };
    this.u = new uPlot(options, series.map(() => []).concat([[]]), host);
    all.add(this.u);
    this.watch = new ResizeObserver(() => {
      const width = Math.max(120, host.clientWidth);
      if (width !== this.u.width) this.u.setSize({ width, height: this.height });
    });
    this.watch.observe(host);
  }

  set(data) {
    this.u.setData(data);
  }

  redraw() {
    this.u.redraw(false);
  }

  remove() {
    this.watch.disconnect();
    all.delete(this.u);
    this.u.destroy();
  }
}

/** Plots over one time axis: zoomed together, one cursor. */
export class TimeGroup {
  constructor({ onRange, onCursor }) {
    this.range = null;
    this.full = [0, 1];
    this.plots = [];
    this.onRange = onRange;
    this.onCursor = onCursor;
    this.spans = { train: [], held_out: [] };
    this.key = `time${Math.random()}`;
  }

  add(host, options) {
    const hooks = options.hooks ?? {};
    const plot = new Plot(host, {
      ...options,
      x: { range: () => this.range ?? this.full },
      cursor: {
        sync: { key: this.key, setSeries: false }, y: false, points: { show: false },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this.zoom(null) },
      },
      hooks: {
        ...hooks,
        drawClear: [(u) => this.shade(u)],
        setSelect: [(u) => this.selected(u)],
        setCursor: [(u) => this.pointed(u)],
      },
    });
    this.plots.push(plot);
    return plot;
  }

  selected(u) {
    if (u.select.width < 3) return;
    const range = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoom(range);
  }

  pointed(u) {
    if (u.cursor.left >= 0 && this.onCursor && u.cursor.event) this.onCursor(u.posToVal(u.cursor.left, "x"));
  }

  zoom(range) {
    this.range = range;
    this.onRange(range);
  }

  shade(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [kind, spans] of Object.entries(this.spans)) {
      ctx.fillStyle = colour(`${kind}-shade`);
      for (const [start, stop] of spans) {
        const left = u.valToPos(start, "x", true), right = u.valToPos(stop, "x", true);
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
      }
    }
    ctx.restore();
  }

  remove() {
    for (const plot of this.plots) plot.remove();
    this.plots = [];
  }
}
