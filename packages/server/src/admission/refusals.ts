/**
 * Refusals, so that they cost the work little. Some a second are answered at once, others a little later: a client that
 * sends again as soon as it is refused would otherwise have the service do nothing else. And they are logged together,
 * because one line for each would fill the disk.
 */
import type { FastifyBaseLogger } from "fastify";
import type { ServerErrorCode } from "../errors.ts";

/** So many are answered in each so many milliseconds: two thousand a second, about a fifth of what a core can do. */
const PACE = { refusals: 20, everyMs: 10 } as const;
/** So many are kept back at most; beyond them each is answered at once. */
const MOST_HELD = 1000;
/** How often the log tells of them, in milliseconds. */
const LOG_EVERY_MS = 1000;

/** Codes of requests that were refused because there were too many. */
export const REFUSAL_CODES: ReadonlySet<string> = new Set<ServerErrorCode>(["overloaded", "token-limit", "find-limit"]);

export class Refusals {
  readonly #held: (() => void)[] = [];
  #answered = 0;
  #ticking: NodeJS.Timeout | null = null;
  #counted = new Map<string, number>();
  #logging: NodeJS.Timeout | null = null;

  /** Answers a refusal by `answer`, now or when others have been answered. */
  pace(answer: () => void): void {
    this.#ticking ??= setInterval(() => {
      this.#tick();
    }, PACE.everyMs);
    if (this.#answered >= PACE.refusals && this.#held.length < MOST_HELD) this.#held.push(answer);
    else {
      this.#answered++;
      answer();
    }
  }

  /** Counts one for the log. */
  note(code: string, log: FastifyBaseLogger): void {
    this.#counted.set(code, (this.#counted.get(code) ?? 0) + 1);
    this.#logging ??= setTimeout(() => {
      log.warn({ refused: Object.fromEntries(this.#counted) }, "requests were refused within a second");
      this.#counted = new Map();
      this.#logging = null;
    }, LOG_EVERY_MS).unref();
  }

  #tick(): void {
    this.#answered = 0;
    for (const answer of this.#held.splice(0, PACE.refusals)) {
      this.#answered++;
      answer();
    }
    if (this.#answered > 0 || this.#ticking === null) return;
    clearInterval(this.#ticking);
    this.#ticking = null;
  }
}
