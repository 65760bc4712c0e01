// What the person does: keys, gamepad, mouse and fingers, as one state that is sent when it changes.

const PLACES = {
  KeyW: 0, ArrowUp: 0, KeyA: 1, ArrowLeft: 1, KeyS: 2, ArrowDown: 2, KeyD: 3, ArrowRight: 3,
};
const DEAD = 0.12;
const STEADY_MS = 33;
const LOOK_PER_PIXEL = 0.004;
const clip = (number, low, high) => Math.min(Math.max(number, low), high);
const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select") !== null;

export class Hands {
  // onInput(keys, analog, steer, drive, look, stamp); onPath(points, stamp); onTrace(points or null).
  constructor({ canvas, pad, knob, onInput, onPath, onTrace, onShortcut }) {
    Object.assign(this, { canvas, pad, knob, onInput, onPath, onTrace, onShortcut });
    this.down = new Set();
    this.stick = null;
    this.mode = "draw";
    this.walks = false;
    this.letters = true;
    this.told = "";
    this.toldAt = 0;
    this.later = 0;
    this.listen();
  }

  listen() {
    window.addEventListener("keydown", (event) => this.key(event, true));
    window.addEventListener("keyup", (event) => this.key(event, false));
    window.addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.release(); });
    window.addEventListener("gamepadconnected", () => requestAnimationFrame(() => this.poll()));
    this.drag(this.canvas, (event, phase) => this.onCanvas(event, phase));
    this.drag(this.pad, (event, phase) => this.onPad(event, phase));
  }

  drag(element, work) {
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      work(event, "down");
    });
    element.addEventListener("pointermove", (event) => { if (element.hasPointerCapture(event.pointerId)) work(event, "move"); });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, (event) => work(event, name));
  }

  key(event, held) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const place = PLACES[event.code];
    if (place === undefined) {
      if (held && !event.repeat && (this.letters || event.key === "Escape")) this.onShortcut(event);
      return;
    }
    if (event.target.matches("input[type=radio]") && event.code.startsWith("Arrow")) return;
    event.preventDefault();
    if (event.repeat || this.down.has(event.code) === held) return;
    if (held) this.down.add(event.code); else this.down.delete(event.code);
    this.tell(event.timeStamp);
  }

  get keys() {
    const keys = [false, false, false, false];
    for (const code of this.down) keys[PLACES[code]] = true;
    return keys;
  }

  release() {
    this.down.clear();
    this.setStick(null);
  }

  setStick(stick, stamp = performance.now()) {
    this.stick = stick;
    this.knob.style.transform = stick ? `translate(${-stick.steer * 46}px, ${-stick.drive * 46}px)` : "";
    this.tell(stamp, stick !== null);
  }

  tell(stamp, steady = false) {
    // A moving stick is told thirty times a second at most, its last place always.
    const { steer, drive } = this.stick ?? { steer: 0, drive: 0 };
    const state = [this.keys, this.stick !== null, clip(steer, -1, 1), clip(drive, -1, 1), [0, 0]];
    const text = JSON.stringify(state);
    clearTimeout(this.later);
    if (text === this.told) return;
    const wait = STEADY_MS - (performance.now() - this.toldAt);
    if (steady && wait > 0) { this.later = setTimeout(() => this.tell(stamp), wait); return; }
    this.told = text;
    this.toldAt = performance.now();
    this.onInput(...state, stamp);
  }

  // --- mouse and fingers on the picture ---

  onCanvas(event, phase) {
    // Whoever points at the picture wants the keys there too, not in a text field left behind.
    if (phase === "down") this.canvas.closest("[tabindex]").focus({ preventScroll: true });
    if (this.walks) this.look(event, phase);
    else if (this.mode === "draw") this.draw(event, phase);
    else this.offset(event, phase, this.canvas);
  }

  look(event, phase) {
    if (phase !== "move") return;
    const yaw = clip(event.movementX * LOOK_PER_PIXEL, -0.35, 0.35);
    const pitch = clip(event.movementY * LOOK_PER_PIXEL, -0.35, 0.35);
    this.onInput(this.keys, false, 0, 0, [yaw, pitch], event.timeStamp);
  }

  draw(event, phase) {
    const box = this.canvas.getBoundingClientRect();
    const point = [clip((event.clientX - box.left) / box.width, 0, 1), clip((event.clientY - box.top) / box.height, 0, 1)];
    if (phase === "down") this.points = [point];
    else if (!this.points) return;
    const last = this.points.at(-1);
    if (phase === "move" && Math.hypot(point[0] - last[0], point[1] - last[1]) > 0.008) this.points.push(point);
    if (phase === "pointerup" && this.points.length > 1) this.onPath(thinned(this.points), event.timeStamp);
    if (phase.startsWith("pointer")) this.points = null;
    this.onTrace(this.points);
  }

  onPad(event, phase) { this.offset(event, phase, this.pad); }

  offset(event, phase, element) {
    if (phase.startsWith("pointer")) { this.setStick(null, event.timeStamp); return; }
    const box = element.getBoundingClientRect();
    const across = (event.clientX - box.left - box.width / 2) / (box.width / 2);
    const down = (event.clientY - box.top - box.height / 2) / (box.height / 2);
    this.setStick({ steer: clip(-across, -1, 1), drive: clip(-down, -1, 1) }, event.timeStamp);
  }

  // --- gamepad ---

  poll() {
    const pad = navigator.getGamepads().find((one) => one?.connected);
    if (!pad) { if (this.padded) this.setStick(null); this.padded = false; return; }
    const axis = (value) => (Math.abs(value) < DEAD ? 0 : (value - Math.sign(value) * DEAD) / (1 - DEAD));
    const pedal = (place) => pad.buttons[place]?.value ?? 0;
    const steer = -axis(pad.axes[0] ?? 0);
    const pedals = pedal(7) - pedal(6);
    const drive = pedals || -axis(pad.axes[1] ?? 0);
    const used = steer !== 0 || drive !== 0;
    if (used || this.padded) this.setStick(used ? { steer, drive } : null);
    this.padded = used;
    this.padButtons(pad);
    requestAnimationFrame(() => this.poll());
  }

  padButtons(pad) {
    const held = [1, 3, 9].filter((place) => pad.buttons[place]?.pressed);
    const names = { 1: "b", 3: "t", 9: "p" };
    for (const place of held) if (!this.heldButtons?.includes(place)) this.onShortcut({ key: names[place] });
    this.heldButtons = held;
  }
}

function thinned(points) {
  const step = Math.max(1, Math.ceil(points.length / 60));
  const kept = points.filter((_, place) => place % step === 0);
  return kept.at(-1) === points.at(-1) ? kept : [...kept, points.at(-1)];
}
