// Two rows of spikes, the target's above the chip's, by what became of them.

import { colour } from "./plot.js";

const ROWS = ["chip", "target"];

/** The vertical axis of a plot with the two rows, whose range is 0 to 2. */
export const SPIKE_AXIS = { size: 68, splits: () => [0.5, 1.5], values: () => ROWS, grid: { show: false }, ticks: { show: false } };

/** Draw spikes into a plot: green where both agree; missed ones end in a ring, extra ones in a cross. */
export function drawSpikes(u, { target_spikes: target, missed, extra, chip_spikes: chip }) {
  if (!chip) return;
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const half = bbox.height / 2, size = 3 * devicePixelRatio;
  const stroke = (times, flags, wanted, name, row, mark) => {
    ctx.beginPath();
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = 1.25 * devicePixelRatio;
    const top = bbox.top + (row ? 0 : half) + half * 0.18, bottom = top + half * 0.64;
    for (let k = 0; k < times.length; k++) {
      if (flags && flags[k] !== wanted) continue;
      const x = u.valToPos(times[k], "x", true);
      if (x < bbox.left - size || x > bbox.left + bbox.width + size) continue;
      ctx.moveTo(x, top);
      ctx.lineTo(x, bottom);
      if (mark) mark(x, row ? bottom : top, size);
    }
    ctx.stroke();
  };
  // colour is not all: a missed spike ends in a ring, an extra one in a cross
  const ring = (x, y, r) => { ctx.moveTo(x + r, y); ctx.arc(x, y, r, 0, 2 * Math.PI); };
  const cross = (x, y, r) => { ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r); ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y + r); };
  if (target) {
    stroke(target, missed, 0, "hit", 1);
    stroke(target, missed, 1, "miss", 1, ring);
    stroke(chip, extra, 0, "hit", 0);
    stroke(chip, extra, 1, "extra", 0, cross);
  } else stroke(chip, null, 0, "chip", 0);
  ctx.restore();
}
