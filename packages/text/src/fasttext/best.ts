/** The k best of many, kept in a binary heap whose worst is on top; equal scores end up in the order of libstdc++'s heap functions. */
export class Best {
  readonly #k: number;
  readonly #scores: number[] = [];
  readonly #ids: number[] = [];

  constructor(k: number) { this.#k = k; }

  /** Could something with this score still enter? */
  takes(score: number): boolean { return this.#scores.length < this.#k || !(score < this.#scores[0]!); }

  push(score: number, id: number): void {
    if (!this.takes(score)) return;
    this.#up(this.#scores.push(score) - 1, 0, score, id);
    if (this.#scores.length > this.#k) this.#pop();
  }

  /** Best first; empties the heap. */
  drain(): { score: number; id: number }[] {
    const sorted: { score: number; id: number }[] = [];
    while (this.#scores.length > 0) sorted.push(this.#pop());
    return sorted.reverse();
  }

  #up(hole: number, top: number, score: number, id: number): void {
    const scores = this.#scores, ids = this.#ids;
    for (let parent = (hole - 1) >> 1; hole > top && scores[parent]! > score; parent = (hole - 1) >> 1) {
      scores[hole] = scores[parent]!;
      ids[hole] = ids[parent]!;
      hole = parent;
    }
    scores[hole] = score;
    ids[hole] = id;
  }

  #pop(): { score: number; id: number } {
    const scores = this.#scores, ids = this.#ids, top = { score: scores[0]!, id: ids[0]! };
    const score = scores.pop()!, id = ids.pop()!, n = scores.length;
    if (n === 0) return top;
    let hole = 0;
    for (let child = 2; child <= n; child = 2 * hole + 2) {
      const better = child === n || scores[child]! > scores[child - 1]! ? child - 1 : child;
      scores[hole] = scores[better]!;
      ids[hole] = ids[better]!;
      hole = better;
    }
    this.#up(hole, 0, score, id);
    return top;
  }
}
