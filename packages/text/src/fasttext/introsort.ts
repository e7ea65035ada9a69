/**
 * Sorting with ties in the order that C++ programs built with libstdc++ leave them in: its `std::sort` is no stable sort, and the numbers of words
 * in a model follow from it. Introsort (Musser 1997, "Introspective Sorting and Selection Algorithms"): quicksort by the median of three down to
 * runs of 16, heapsort where it degenerates, one insertion sort at the end.
 */
const RUN = 16;

/** Sorts `a` in place; `less(x, y)`: x must come before y. */
export function introsort(a: Int32Array, less: (x: number, y: number) => boolean): void {
  if (a.length < 2) return;
  quicksort(a, less, 0, a.length, 2 * (31 - Math.clz32(a.length)));
  for (let i = 1; i < a.length; i++) {
    if (i < RUN && less(a[i]!, a[0]!)) {
      const x = a[i]!;
      a.copyWithin(1, 0, i);
      a[0] = x;
    } else insert(a, less, i);
  }
}

/** Moves a[i] down to its place; something not greater lies before it. */
function insert(a: Int32Array, less: (x: number, y: number) => boolean, i: number): void {
  const x = a[i]!;
  for (; less(x, a[i - 1]!); i--) a[i] = a[i - 1]!;
  a[i] = x;
}

function quicksort(a: Int32Array, less: (x: number, y: number) => boolean, first: number, last: number, depth: number): void {
  for (; last - first > RUN; depth--) {
    if (depth === 0) return heapsort(a, less, first, last);
    medianToFirst(a, less, first, first + 1, first + ((last - first) >> 1), last - 1);
    const cut = partition(a, less, first + 1, last, first);
    quicksort(a, less, cut, last, depth - 1);
    last = cut;
  }
}

function swap(a: Int32Array, i: number, j: number): void {
  const x = a[i]!;
  a[i] = a[j]!;
  a[j] = x;
}

function medianToFirst(a: Int32Array, less: (x: number, y: number) => boolean, to: number, i: number, j: number, k: number): void {
  const x = a[i]!, y = a[j]!, z = a[k]!;
  if (less(x, y)) swap(a, to, less(y, z) ? j : less(x, z) ? k : i);
  else swap(a, to, less(x, z) ? i : less(y, z) ? k : j);
}

function partition(a: Int32Array, less: (x: number, y: number) => boolean, first: number, last: number, pivot: number): number {
  for (;;) {
    while (less(a[first]!, a[pivot]!)) first++;
    last--;
    while (less(a[pivot]!, a[last]!)) last--;
    if (!(first < last)) return first;
    swap(a, first, last);
    first++;
  }
}

function heapsort(a: Int32Array, less: (x: number, y: number) => boolean, first: number, last: number): void {
  const n = last - first;
  for (let parent = (n - 2) >> 1; parent >= 0; parent--) sift(a, less, first, parent, n, a[first + parent]!);
  for (let end = last - 1; end > first; end--) {
    const x = a[end]!;
    a[end] = a[first]!;
    sift(a, less, first, 0, end - first, x);
  }
}

/** Puts x into the heap a[base, base + n) whose place `hole` is free: down along the greater children, then up. */
function sift(a: Int32Array, less: (x: number, y: number) => boolean, base: number, hole: number, n: number, x: number): void {
  const top = hole;
  let child = hole;
  while (child < (n - 1) >> 1) {
    child = 2 * child + 2;
    if (less(a[base + child]!, a[base + child - 1]!)) child--;
    a[base + hole] = a[base + child]!;
    hole = child;
  }
  if (n % 2 === 0 && child === (n - 2) >> 1) {
    child = 2 * child + 1;
    a[base + hole] = a[base + child]!;
    hole = child;
  }
  for (let parent = (hole - 1) >> 1; hole > top && less(a[base + parent]!, x); parent = (hole - 1) >> 1) {
    a[base + hole] = a[base + parent]!;
    hole = parent;
  }
  a[base + hole] = x;
}
