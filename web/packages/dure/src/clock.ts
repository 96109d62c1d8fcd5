/** Tells time and waits. Tests bring their own. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Ends after so many milliseconds, or with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

/** backoff is the wait before round n (from 0): 100 ms doubling to 3 s, of which a random half is taken off so that many do not come back together. */
export function backoff(n: number): number {
  const most = Math.min(100 * 2 ** Math.min(n, 5), 3000);
  return most / 2 + Math.random() * (most / 2);
}
