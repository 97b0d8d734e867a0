/**
 * Something that is done in the background: at once, now and then, and when somebody says that there is something to
 * do, until it is stopped. A turn that fails ends nothing, and is not tried again before the next one's time: what
 * cannot be reached is not asked without a pause.
 */

/** What is done, and how often. */
export interface RecurringParts {
  readonly turn: (stop: AbortSignal) => Promise<void>;
  /** Between two turns, in milliseconds. */
  readonly everyMs: number;
  readonly onFault: (error: unknown) => void;
  /** Waits, or less when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Recurring {
  readonly #parts: RecurringParts;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  /** Ends the present wait, or the one behind the present turn. */
  #waking = new AbortController();

  /** Starts it. */
  constructor(parts: RecurringParts) {
    this.#parts = parts;
    this.#ended = this.#run();
  }

  /** The next turn comes at once. */
  wake(): void {
    this.#waking.abort();
  }

  get isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { turn, everyMs, onFault, sleep } = this.#parts;
    const { signal } = this.#stopping;
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#waking = new AbortController();
      try {
        await turn(signal);
      } catch (error) {
        onFault(error);
      }
      await sleep(everyMs, AbortSignal.any([this.#waking.signal, signal]));
    }
  }
}
