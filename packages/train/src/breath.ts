/** Turns for the event loop during long work. */

/**
 * A function to await between batches. Every 50 ms it lets timers, signals and the page have their turn:
 * awaiting a batch that is ready never leaves the microtask queue.
 */
export function breath(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
