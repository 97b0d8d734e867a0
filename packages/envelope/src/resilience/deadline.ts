/**
 * One overall deadline of an operation, shared out among the attempts it may still need, so that a region that never
 * answers can not use up the time in which another would have.
 */

export interface Deadline {
  readonly startedAt: number;
  readonly endsAt: number;
}

export function startDeadline(now: number, lengthMs: number): Deadline {
  return { startedAt: now, endsAt: now + lengthMs };
}

/** Milliseconds left, never negative. */
export function remainingMs(deadline: Deadline, now: number): number {
  return Math.max(0, deadline.endsAt - now);
}

/**
 * How long the next attempt may take: its fair share of what is left when `attemptsLeft` (this one included) may still
 * follow one another, at most `longestMs`. Adding up the shares of silent attempts never passes the deadline.
 */
export function attemptShareMs(
  deadline: Deadline,
  now: number,
  options: { readonly attemptsLeft: number; readonly longestMs: number },
): number {
  return Math.min(options.longestMs, remainingMs(deadline, now) / Math.max(1, options.attemptsLeft));
}
