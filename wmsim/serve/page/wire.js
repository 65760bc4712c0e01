// The server's messages read, and ours written: fixed fields, little-endian, as in play_messages.py.

export const FRAME = 1, FILM = 2;
const HEAD = 48;

export function inputMessage(seq, keys, analog, steer, drive, look) {
  const view = new DataView(new ArrayBuffer(22));
  let bits = analog ? 16 : 0;
  keys.forEach((held, place) => { if (held) bits |= 1 << place; });
  view.setUint8(0, 1);
  view.setUint8(1, bits);
  view.setUint32(2, seq, true);
  [steer, drive, ...look].forEach((number, place) => view.setFloat32(6 + 4 * place, number, true));
  return view.buffer;
}

export function pathMessage(seq, points) {
  const view = new DataView(new ArrayBuffer(6 + 4 * points.length));
  view.setUint8(0, 2);
  view.setUint8(1, points.length);
  view.setUint32(2, seq, true);
  points.flat().forEach((share, place) => view.setUint16(6 + 2 * place, Math.round(share * 65535), true));
  return view.buffer;
}

export async function photoMessage(file) {
  const body = new Uint8Array(await file.arrayBuffer());
  const message = new Uint8Array(1 + body.length);
  message[0] = 3;
  message.set(body, 1);
  return message.buffer;
}

export function voiceMessage(samples) {
  // samples: Float32Array in [-1, 1] at 16 kHz.
  const view = new DataView(new ArrayBuffer(1 + 2 * samples.length));
  view.setUint8(0, 5);
  samples.forEach((value, place) => view.setInt16(1 + 2 * place, Math.round(Math.min(Math.max(value, -1), 1) * 32767), true));
  return view.buffer;
}

export function seenMessage(number) {
  const view = new DataView(new ArrayBuffer(5));
  view.setUint8(0, 4);
  view.setUint32(1, number, true);
  return view.buffer;
}

export function readFrame(buffer) {
  const view = new DataView(buffer);
  const flags = view.getUint8(3);
  const count = view.getUint8(46);
  const path = [];
  for (let i = 0; i < count; i += 1) {
    const at = (word) => (view.getUint16(HEAD + 4 * i + 2 * word, true) - 16384) / 16384;
    path.push([at(0), at(1)]);
  }
  return {
    pane: view.getUint8(1), jpeg: view.getUint8(2) === 1,
    ended: Boolean(flags & 1), waiting: Boolean(flags & 2), recording: Boolean(flags & 4),
    number: view.getUint32(4, true), frame: view.getUint32(8, true), seq: view.getUint32(12, true),
    turn: view.getUint16(16, true), width: view.getUint16(18, true), height: view.getUint16(20, true),
    uncertainty: view.getFloat32(22, true), speed: view.getFloat32(26, true),
    steer: view.getFloat32(30, true), drive: view.getFloat32(34, true),
    stepMs: view.getFloat32(38, true), waitMs: view.getFloat32(42, true),
    dropped: view.getUint8(47), path, pixels: new Uint8Array(buffer, HEAD + 4 * count),
  };
}

export function readFilm(buffer) {
  const view = new DataView(buffer);
  return { at: view.getUint32(1, true), length: view.getUint32(5, true), bytes: new Uint8Array(buffer, 9) };
}
