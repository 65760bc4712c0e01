// What is painted: the panes, the drawn line, and the time from a key to the pixels that answer it.

import { readFrame, seenMessage } from "./wire.js";

const KEPT = 6000;

export class Clock {
  // Times from an input's own time stamp to just after the animation frame that painted the answering frame.
  constructor() { this.open = new Map(); this.taken = []; }
  sent(seq, stamp) { this.open.set(seq, stamp); if (this.open.size > 400) this.forget(); }
  forget() { this.open.clear(); }
  painted(seq) {
    const now = performance.now();
    for (const [sent, stamp] of this.open) {
      if (sent > seq) continue;
      this.open.delete(sent);
      this.taken.push(now - stamp);
    }
    if (this.taken.length > KEPT) this.taken.splice(0, this.taken.length - KEPT);
  }
  percentile(share, last = KEPT) {
    const ordered = this.taken.slice(-last).sort((a, b) => a - b);
    return ordered.length ? ordered[Math.min(Math.floor(share * ordered.length), ordered.length - 1)] : NaN;
  }
}

export class Panes {
  constructor(canvases, line, clock, send, onFrame) {
    this.contexts = canvases.map((canvas) => canvas.getContext("2d", { alpha: false }));
    this.line = line;
    Object.assign(this, { clock, send, onFrame });
    this.newest = [null, null];
    this.asked = false;
    this.painted = 0;
    this.times = [];
    this.trace = null;
    this.longestGap = 0;
    this.last = null;
    this.after = new MessageChannel();
    this.after.port1.onmessage = (event) => this.clock.painted(event.data);
  }

  take(buffer) {
    const frame = readFrame(buffer);
    this.newest[frame.pane] = frame;
    if (!this.asked) { this.asked = true; requestAnimationFrame(() => this.paint()); }
  }

  async paint() {
    this.asked = false;
    const shown = this.newest;
    this.newest = [null, null];
    for (const frame of shown) if (frame) await this.put(frame);
  }

  async put(frame) {
    const context = this.contexts[frame.pane];
    const { canvas } = context;
    if (canvas.width !== frame.width) [canvas.width, canvas.height] = [frame.width, frame.height];
    if (frame.jpeg) context.drawImage(await createImageBitmap(new Blob([frame.pixels], { type: "image/jpeg" })), 0, 0);
    else context.putImageData(imageOf(frame), 0, 0);
    this.send(seenMessage(frame.number));
    if (frame.pane === 0) {
      this.after.port2.postMessage(frame.seq);
      this.count(frame);
      this.drawLine(frame.path);
    }
    this.onFrame(frame);
  }

  count(frame) {
    // A gap counts between frames that follow each other, not over a pause or a leap.
    const now = performance.now();
    const { last } = this;
    if (last && last.turn === frame.turn && frame.frame > last.frame && !last.still) this.longestGap = Math.max(this.longestGap, now - last.at);
    this.last = { turn: frame.turn, frame: frame.frame, still: frame.waiting, at: now };
    this.painted += 1;
    this.times.push(now);
    while (now - this.times[0] > 2000) this.times.shift();
  }

  get rate() {
    const span = this.times.at(-1) - this.times[0];
    return this.times.length > 1 && performance.now() - this.times.at(-1) < 1000 ? 1000 * (this.times.length - 1) / span : 0;
  }

  drawLine(path) {
    const { line } = this;
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(line.clientWidth * scale), Math.round(line.clientHeight * scale)];
    if (line.width !== wide || line.height !== high) [line.width, line.height] = [wide, high];
    const context = line.getContext("2d");
    context.clearRect(0, 0, wide, high);
    stroke(context, path, wide, high, "#7cc4ff", 5 * scale);
    if (this.trace) stroke(context, this.trace, wide, high, "#ffcf5c", 4 * scale);
  }
}

function stroke(context, points, wide, high, colour, width) {
  if (points.length < 2) return;
  context.lineJoin = context.lineCap = "round";
  for (const [style, size] of [["#000a", width + 4], [colour, width]]) {
    context.strokeStyle = style;
    context.lineWidth = size;
    context.beginPath();
    points.forEach(([x, y], place) => context[place ? "lineTo" : "moveTo"](x * wide, y * high));
    context.stroke();
  }
}

function imageOf(frame) {
  const image = new ImageData(frame.width, frame.height);
  const { data } = image;
  for (let from = 0, to = 0; from < frame.pixels.length; from += 3, to += 4) {
    data[to] = frame.pixels[from];
    data[to + 1] = frame.pixels[from + 1];
    data[to + 2] = frame.pixels[from + 2];
    data[to + 3] = 255;
  }
  return image;
}
