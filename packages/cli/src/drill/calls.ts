// What one request of the drill came to. Times are milliseconds since the drill began.

interface Timed {
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** The service's code where the request was not answered as asked, or the drill's own `not-equal`. */
  readonly code: string | null;
}

/** A record asked for, and whether what came was what had been written. */
export interface ReadCall extends Timed {
  readonly kind: "read";
  readonly outcome: "ok" | "failed";
}

/** A record written: `refused` when too few regions could wrap it, `failed` for every other reason. */
export interface WriteCall extends Timed {
  readonly kind: "write";
  readonly outcome: "ok" | "refused" | "failed";
  /** Wraps that the acknowledged version has; 0 where there is none. */
  readonly stored: number;
  /** Regions whose wrap it owes. */
  readonly missing: readonly string[];
}

/** One request. */
export type Call = ReadCall | WriteCall;

/** When a call was over. */
export function endOf({ startedAt, elapsedMs }: Call): number {
  return startedAt + elapsedMs;
}
