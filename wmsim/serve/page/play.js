// The page: one session with the server, its buttons, and what is told of it.

import { Hands } from "./hands.js";
import { Clock, Panes } from "./view.js";
import { Confirm, Talk } from "./voice.js";
import { FRAME, inputMessage, pathMessage, photoMessage, readFilm, voiceMessage } from "./wire.js";

const get = (id) => document.getElementById(id);
const clock = new Clock();
const state = { hello: null, socket: null, seq: 0, begun: 0, frame: null, paused: false, film: null, closed: null };

// --- sending ---

function send(message) {
  if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(message);
}
const ask = (name, value) => send(JSON.stringify({ do: name, value }));

function sendInput(keys, analog, steer, drive, look, stamp) {
  state.seq += 1;
  const idle = !keys.some(Boolean) && !analog && look.every((turn) => turn === 0);
  // What lets go while the world stands still is answered by no frame: there is nothing to measure.
  if (!state.paused && !state.frame?.ended && !(idle && state.frame?.waiting)) clock.sent(state.seq, stamp);
  send(inputMessage(state.seq, keys, analog, steer, drive, look));
}

function sendPath(points, stamp) {
  state.seq += 1;
  if (points.length && !state.paused && !state.frame?.ended) clock.sent(state.seq, stamp);
  send(pathMessage(state.seq, points));
}

const panes = new Panes([get("view-0"), get("view-1")], get("line"), clock, send, showFigures);
const hands = new Hands({
  canvas: get("view-0"), pad: get("pad"), knob: get("knob"), onInput: sendInput, onPath: sendPath, onShortcut: shortcut,
  onTrace: (points) => { panes.trace = points; panes.drawLine(state.frame?.path ?? []); },
});

// --- the session ---

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const base = location.pathname.replace(/[^/]*$/, "");
  state.socket = new WebSocket(`${scheme}://${location.host}${base}session`);
  state.socket.binaryType = "arraybuffer";
  state.socket.onmessage = (event) => (typeof event.data === "string" ? told(JSON.parse(event.data)) : taken(event.data));
  state.socket.onclose = (event) => closed(event);
  [state.closed, state.frame, state.paused] = [null, null, false];
  cover("Connecting …");
}

function closed(event) {
  const reason = event.reason || (event.code === 1006 ? "The server is not reached, or it refuses this page." : "The session is over.");
  state.closed = { code: event.code, reason: event.reason };
  confirm.drop();
  clock.forget();
  cover(reason, true);
  say(reason, true);
}

function taken(buffer) {
  if (new DataView(buffer).getUint8(0) === FRAME) panes.take(buffer);
  else takeFilm(readFilm(buffer));
}

function takeFilm(piece) {
  if (piece.at === 0) state.film = new Uint8Array(piece.length);
  state.film.set(piece.bytes, piece.at);
  if (piece.at + piece.bytes.length < piece.length) return;
  const link = get("film");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([state.film], { type: "video/mp4" }));
  link.download = `wmsim-${state.hello.world}-${get("now-seed").textContent}.mp4`;
  link.textContent = `Download the film (${(piece.length / 1e6).toFixed(2)} MB)`;
  link.hidden = false;
}

// --- what the server says ---

const answers = {
  hello: (told) => setUp(told),
  note: ({ text }) => say(text),
  busy: ({ text }) => cover(text, false, true),
  heard: (told) => showHeard(told),
  spoken: (told) => showSpoken(told),
  began: ({ seed }) => { state.begun += 1; panes.last = null; get("now-seed").textContent = seed; clock.forget(); },
  paused: ({ on }) => { panes.last = null; state.paused = on; pressed("pause", on); get("pause").textContent = on ? "Go on" : "Pause"; clock.forget(); refreshCover(); },
  recording: ({ on, frames }) => {
    pressed("record", on);
    get("record").textContent = on ? "Stop recording" : "Record";
    say(on ? "Recording." : `Recorded ${frames} frames.`);
  },
  twin: ({ on, text }) => { pressed("twin", on); get("pane-1").hidden = !on; if (text) say(text); },
  turns: (told) => showTurns(told),
};

function showHeard({ text, event, nearest }) {
  get("heard").textContent = text;
  say(text, event === null);
  const buttons = (nearest ?? []).map((name) => Object.assign(document.createElement("button"), { type: "button", textContent: name }));
  for (const button of buttons) button.onclick = () => { ask("event", button.textContent); get("nearest").hidden = true; get("stage").focus(); };
  get("nearest").replaceChildren(...buttons);
  get("nearest").hidden = buttons.length === 0;
}

function showSpoken({ phrase, event, why }) {
  talk.heard();
  if (event === null) { get("heard").textContent = `Not understood: ${why}.`; say(`Not understood: ${why}.`, true); return; }
  confirm.ask(`“${phrase}” → ${event}`, () => ask("event", event));
}

function told(message) { answers[message.say]?.(message); }

function setUp(hello) {
  state.hello = hello;
  const simulated = hello.made !== "generated";
  get("world").textContent = hello.world;
  get("badge").textContent = simulated ? "Simulated picture" : "Generated picture, not a camera";
  get("badge").classList.toggle("simulated", simulated);
  get("made-0").textContent = hello.made.toUpperCase();
  get("made-0").classList.toggle("simulated", simulated);
  get("made-1").textContent = hello.twin_made.toUpperCase();
  get("title-0").textContent = simulated ? "The world" : "The dream: made up by a neural network";
  get("title-1").textContent = "Its twin: computed by a simulator";
  get("footer").textContent = simulated
    ? "Every picture is computed by a simulator. It is no camera and no record of a real place."
    : "Every picture of the dream is made up by a neural network. It is no camera and no record of a real place.";
  get("twin").hidden = !hello.twin;
  get("pane-1").hidden = true;
  document.querySelector(".doubt").hidden = !hello.uncertainty;
  get("photo-card").hidden = !hello.photo;
  hands.walks = hello.steering === "walk" || hello.steering === "camera";
  if (!hello.draw && hands.mode === "draw") document.querySelector("input[value=steer]").click();
  document.querySelector("input[value=draw]").disabled = !hello.draw;
  const silent = hello.events !== null && hello.events.length === 0;
  get("heard").textContent = silent ? "This world takes no events: typed text is answered, nothing more." : "Typed text goes to the world.";
  get("talk-row").hidden = !hello.voice;
  get("nearest").hidden = true;
  confirm.drop();
  get("events").replaceChildren(...(hello.events ?? []).map((event) => new Option(event, event)));
  get("event").placeholder = hello.events?.[0] ?? "what should happen?";
  for (const button of document.querySelectorAll(".back")) button.hidden = Number(button.dataset.seconds) > hello.rewind;
}

function showTurns({ now, left }) {
  const bar = get("turns");
  bar.replaceChildren(Object.assign(document.createElement("span"), { textContent: `Turn ${now}. Left behind:` }));
  for (const one of left) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: `turn ${one.turn} at ${one.seconds} s` });
    button.onclick = () => ask("turn", one.turn);
    bar.append(button);
  }
  bar.hidden = left.length === 0;
  clock.forget();
}

// --- what is shown ---

function showFigures(frame) {
  if (frame.pane === 1) { get("ended-1").hidden = !frame.ended; return; }
  state.frame = frame;
  if (frame.ended) clock.forget();
  refreshCover();
}

function refreshCover() {
  const { frame } = state;
  if (state.closed || !frame) return;
  if (frame.ended) cover("The drive is over. Rewind and take another turn, or reset.");
  else if (state.paused) cover("Paused", false, true);
  else if (frame.waiting) cover(state.hello.draw ? "Press a key or draw the way" : "Press a key", false, true);
  else get("cover").hidden = true;
}

function cover(text, again = false, light = false) {
  get("cover").hidden = false;
  get("cover").classList.toggle("light", light);
  if (get("cover-text").textContent !== text) get("cover-text").textContent = text;
  get("again").hidden = !again;
}

function say(text, bad = false) {
  get("status").textContent = text;
  get("status").classList.toggle("bad", bad);
}
const pressed = (id, on) => get(id).setAttribute("aria-pressed", String(on));
const number = (value, digits, unit = "") => (Number.isFinite(value) ? value.toFixed(digits) + unit : "–");

setInterval(() => {
  // Figures change twice a second, not sixteen times: they are to be read.
  const { frame } = state;
  get("fps").textContent = number(panes.rate, 1);
  get("latency").textContent = clock.taken.length ? `${number(clock.percentile(0.5, 100), 0)} / ${number(clock.percentile(0.95, 100), 0)} ms` : "–";
  get("speed").textContent = frame ? number(3.6 * frame.speed, 0, " km/h") : "–";
  get("dropped").textContent = frame?.dropped ?? 0;
  get("doubt").value = Number.isFinite(frame?.uncertainty) ? frame.uncertainty : 0;
  get("doubt-text").textContent = frame ? number(frame.uncertainty, 2) : "–";
}, 500);

// --- buttons ---

const actions = {
  p: () => ask("pause", !state.paused),
  b: () => ask("rewind", 10),
  r: () => ask("reset", null),
  v: () => ask("record", get("record").getAttribute("aria-pressed") !== "true"),
  t: () => { if (!get("twin").hidden) ask("twin", get("twin").getAttribute("aria-pressed") !== "true"); },
  Escape: () => { if (confirm.open) confirm.drop(); else sendPath([], performance.now()); },
};
function shortcut(event) { actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.(); }

get("pause").onclick = actions.p;
get("record").onclick = actions.v;
get("twin").onclick = actions.t;
get("again").onclick = connect;
for (const button of document.querySelectorAll(".back")) button.onclick = () => ask("rewind", Number(button.dataset.seconds));
get("reset-form").onsubmit = (event) => {
  event.preventDefault();
  const seed = get("seed").value.trim();
  ask("reset", seed === "" ? null : Number(seed));
  get("stage").focus();
};
get("event-form").onsubmit = (event) => {
  event.preventDefault();
  if (get("event").value.trim()) ask("event", get("event").value.trim());
};
for (const radio of document.querySelectorAll("input[name=mouse]")) radio.onchange = () => { hands.mode = radio.value; };
get("letters").onchange = (event) => { hands.letters = event.target.checked; };
window.addEventListener("resize", () => panes.drawLine(state.frame?.path ?? []));

// --- voice ---

const confirm = new Confirm({ box: get("spoken"), text: get("spoken-text"), yes: get("spoken-yes"), no: get("spoken-no"), back: get("talk") });
const talk = new Talk({
  button: get("talk"), hint: get("talk-hint"), seconds: () => state.hello?.voice ?? 0, onStart: () => confirm.drop(),
  onRecorded: (samples) => send(voiceMessage(samples)),
});

// --- photos ---

async function sendPhoto(file) {
  if (!file) return;
  if (!state.hello?.photo) say("This world cannot begin from a picture.", true);
  else if (file.size > state.hello.photo_bytes) say(`The file has ${(file.size / 1e6).toFixed(1)} MB, at most ${(state.hello.photo_bytes / 1e6).toFixed(1)} are read.`, true);
  else send(await photoMessage(file));
}
get("photo").onchange = (event) => { sendPhoto(event.target.files[0]); event.target.value = ""; };
window.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
window.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
window.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  sendPhoto(event.dataTransfer.files[0]);
});

// For programs that measure the page: figures only.
window.wmsimPlay = { clock, panes, state };
connect();
