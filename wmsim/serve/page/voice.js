// Push to talk: the microphone is open while the button is held; what was heard waits a moment for an objection.

const RATE = 16000;
const SHORTEST = 0.3;
const WAIT_SECONDS = 3;

export class Talk {
  // seconds(): longest recording. onStart(); onRecorded(samples): Float32Array at 16 kHz.
  constructor({ button, hint, seconds, onStart, onRecorded }) {
    Object.assign(this, { button, hint, seconds, onStart, onRecorded });
    this.held = false;
    this.parts = null;
    button.addEventListener("pointerdown", (event) => { if (event.button === 0) { button.setPointerCapture(event.pointerId); this.begin(); } });
    for (const name of ["pointerup", "pointercancel", "blur"]) button.addEventListener(name, () => this.end());
    for (const name of ["keydown", "keyup"]) button.addEventListener(name, (event) => this.key(event, name === "keydown"));
  }

  key(event, down) {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!down) this.end();
    else if (!event.repeat) this.begin();
  }

  async begin() {
    if (this.held || this.opening) return;
    this.held = this.opening = true;
    this.onStart();
    this.button.setAttribute("aria-pressed", "true");
    try {
      await this.open();
    } catch (fault) {
      this.say(window.isSecureContext ? `The microphone cannot be used: ${fault.message}.` : "Browsers give the microphone to https and localhost alone.");
      this.stop();
      return;
    } finally {
      this.opening = false;
    }
    if (!this.held) { this.stop(); this.say("Hold the button while you speak."); return; }
    this.say("Listening …");
    this.timer = setTimeout(() => this.end(), 1000 * this.seconds());
  }

  async open() {
    if (!navigator.mediaDevices || !window.AudioWorkletNode) throw new Error("this browser has none for this page");
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("listen.js");
    const node = new AudioWorkletNode(this.context, "listen", { numberOfOutputs: 0 });
    this.parts = [];
    node.port.onmessage = (event) => this.parts?.push(event.data);
    this.context.createMediaStreamSource(this.stream).connect(node);
  }

  end() {
    if (!this.held) return;
    this.held = false;
    if (!this.parts) return;
    const samples = joined(this.parts).subarray(0, Math.floor(this.seconds() * RATE));
    this.stop();
    if (samples.length < SHORTEST * RATE) { this.say("Hold the button while you speak."); return; }
    this.say("Recognising …");
    this.onRecorded(samples);
  }

  stop() {
    // The microphone is given back at once: its light must not stay on.
    clearTimeout(this.timer);
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.held = false;
    [this.stream, this.context, this.parts] = [null, null, null];
    this.button.setAttribute("aria-pressed", "false");
  }

  heard() { this.say("Hold the button, or Space on it, and say what should happen."); }
  say(text) { this.hint.textContent = text; }
}

export class Confirm {
  // box: what is shown while a decision is open; back: where the focus returns to.
  constructor({ box, text, yes, no, back }) {
    Object.assign(this, { box, text, yes, no, back });
    yes.onclick = () => this.act();
    no.onclick = () => this.drop();
    box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.drop(); } });
  }

  get open() { return !this.box.hidden; }

  ask(text, work) {
    this.drop();
    this.work = work;
    this.left = WAIT_SECONDS;
    this.text.textContent = `Heard ${text}.`;
    this.box.hidden = false;
    this.count();
    this.timer = setInterval(() => { this.left -= 1; if (this.left > 0) this.count(); else this.act(); }, 1000);
    this.no.focus({ preventScroll: true });
  }

  count() { this.yes.textContent = `Do it (${this.left} s)`; }

  act() { const { work } = this; this.drop(); work?.(); }

  drop() {
    clearInterval(this.timer);
    const inside = this.box.contains(document.activeElement);
    this.work = null;
    this.box.hidden = true;
    if (inside) this.back.focus({ preventScroll: true });
  }
}

function joined(parts) {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}
