"use strict";
// Sound as 16-bit samples in chunks of about 50 ms, each with its loudness from 0 to 1.
class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate / 20);
    this.begin();
  }

  begin() {
    this.samples = new Int16Array(this.size);
    this.filled = 0;
    this.energy = 0;
  }

  process([channels]) {
    const [left, right] = channels;
    if (!left) return true;
    for (let index = 0; index < left.length; index += 1) {
      const value = right ? (left[index] + right[index]) / 2 : left[index];
      const bounded = Math.max(-1, Math.min(1, value));
      this.energy += bounded * bounded;
      this.samples[this.filled] = Math.round(bounded * 32767);
      this.filled += 1;
      if (this.filled === this.size) this.hand();
    }
    return true;
  }

  hand() {
    const decibels = 10 * Math.log10(this.energy / this.size + 1e-10);
    const loudness = Math.max(0, Math.min(1, (decibels + 55) / 45));
    const { buffer } = this.samples;
    this.port.postMessage({ buffer, loudness }, [buffer]);
    this.begin();
  }
}

registerProcessor("pcm", Pcm);
