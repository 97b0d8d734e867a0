/**
 * The only source of time of the resilience policy, so that a test or a simulation can let minutes pass at once. The
 * state machines beside this file take plain milliseconds; only races and fan-outs set timers, through this interface.
 */

export interface Time {
  /** Milliseconds of a monotonic clock; only differences mean something. */
  now(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

/** The machine's monotonic clock: a wall clock set back would keep a breaker open for as long. */
export const systemTime: Time = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    let turn: NodeJS.Immediate | undefined;
    // After a pause of this process its timers come before the answers that arrived meanwhile: those are heard first,
    // or every pause would look like a silent region. setTimeout rounds down: an attempt that may take all that is left
    // would end just before the deadline.
    const timer = setTimeout(() => {
      turn = setImmediate(callback);
    }, Math.ceil(delayMs));
    return () => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
  },
};

/** The same clock with timers that do not keep a process alive: for what is tidied up in the background. */
export const idleTime: Time = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.ceil(delayMs)).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
