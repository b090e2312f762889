// One websocket, one request in flight; of requests with the same key only the newest waits.

const FLOATS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
const LARGEST = 256 * 2 ** 20;

/** A message as bytes: see wire.py. */
export function pack(header, arrays = {}) {
  const table = {};
  let place = 0;
  for (const [name, values] of Object.entries(arrays)) {
    table[name] = ["u1", place, values.length];
    place += values.length + (-values.length & 7);
  }
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: table }));
  const length = text.length + ((-(text.length + 4)) & 7);
  const message = new Uint8Array(4 + length + place).fill(32);
  new DataView(message.buffer).setUint32(0, length, true);
  message.set(text, 4);
  for (const [name, values] of Object.entries(arrays)) message.set(values, 4 + length + table[name][1]);
  return message;
}

/** {header, arrays} of a message. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  for (const [name, [kind, place, count]] of Object.entries(header.arrays)) {
    arrays[name] = new FLOATS[kind](buffer, 4 + length + place, count);
  }
  return { header, arrays };
}

/** Whether text that was typed has become no number. */
function hasNaN(value) {
  return value !== null && typeof value === "object" ? Object.values(value).some(hasNaN) : Number.isNaN(value);
}

export class Connection {
  constructor({ onOpen, onClose, onNews }) {
    this.waiting = new Map();
    this.flying = null;
    this.number = 0;
    this.handlers = { onOpen, onClose, onNews };
    this.connect();
  }

  connect() {
    const url = new URL("ws", document.baseURI);
    url.protocol = "ws:";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.handlers.onOpen();
      this.next();
    };
    this.socket.onmessage = (event) => this.take(unpack(event.data));
    this.socket.onclose = (event) => {
      const lost = this.flying;
      this.flying = null;
      if (lost) lost.reject(new Error("The server went away before it answered."));
      this.handlers.onClose(event);
      setTimeout(() => this.connect(), 1500);
    };
  }

  /** A promise of {header, arrays}; null where a newer request of the same key took its place. */
  ask(op, given = {}, { key = null, arrays = {} } = {}) {
    const size = Object.values(arrays).reduce((sum, values) => sum + values.length, 0);
    if (size > LARGEST - 65536) {
      return Promise.reject(new Error(
        `${(size / 2 ** 20).toFixed(0)} MiB are too much; 255 MiB are the most. Cut the recording, or give it a longer time step.`));
    }
    if (hasNaN(given)) {
      return Promise.reject(new Error("What was typed is no number; write it as 12.5 or 3e-9."));
    }
    return new Promise((resolve, reject) => {
      const name = key ?? `#${++this.number}`;
      this.waiting.get(name)?.resolve(null);
      this.waiting.set(name, { op, given, arrays, resolve, reject });
      this.next();
    });
  }

  get idle() {
    return !this.flying && this.waiting.size === 0;
  }

  next() {
    if (this.flying || this.socket.readyState !== WebSocket.OPEN) return;
    const first = this.waiting.entries().next();
    if (first.done) return;
    const [name, request] = first.value;
    this.waiting.delete(name);
    this.flying = request;
    request.id = ++this.number;
    this.socket.send(pack({ id: request.id, op: request.op, given: request.given }, request.arrays));
  }

  take(message) {
    if (message.header.news) {
      this.handlers.onNews(message);
      return;
    }
    const request = this.flying;
    if (!request || message.header.id !== request.id) return;
    this.flying = null;
    if (message.header.error) request.reject(new Error(message.header.error));
    else request.resolve(message);
    this.next();
  }
}
