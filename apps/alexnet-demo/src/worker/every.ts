/** Something to do again and again, but not too often. */
export class Every {
  #ms: number;
  #last = -Infinity;
  constructor(ms: number) {
    this.#ms = ms;
  }
  /** Is it time? If so, the next time is one interval later. */
  due(now: number): boolean {
    if (now - this.#last < this.#ms) return false;
    this.#last = now;
    return true;
  }
  /** Another interval, counted from now. */
  wait(ms: number): void {
    this.#ms = ms;
    this.#last = performance.now();
  }
}
