// Runs beside the page: the microphone's sound as mono samples at 16 kHz, each the mean of those that it stands for.

const RATE = 16000;

class Listen extends AudioWorkletProcessor {
  constructor() { super(); this.sum = 0; this.count = 0; this.at = 0; }

  process(inputs) {
    const [channel] = inputs[0];
    if (!channel) return true;
    const made = [];
    for (const value of channel) {
      this.sum += value;
      this.count += 1;
      this.at += RATE / sampleRate;
      if (this.at < 1) continue;
      // A microphone slower than 16 kHz gives some samples twice.
      for (; this.at >= 1; this.at -= 1) made.push(this.sum / this.count);
      this.sum = 0;
      this.count = 0;
    }
    this.port.postMessage(Float32Array.from(made));
    return true;
  }
}

registerProcessor("listen", Listen);
