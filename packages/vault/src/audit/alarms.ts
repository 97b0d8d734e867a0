/**
 * What was found wrong since the vault was opened, for whoever watches it; and whether it was found set back as a
 * whole, after which nothing is read or written any more.
 */
import { isVaultError } from "../errors.ts";
import type { VaultError } from "../errors.ts";

/** Something that was found. `code` is an error's, or `gap`, `altered`, `accept-restore`. */
export interface RaisedAlarm {
  readonly code: string;
  readonly message: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/**
 * The newest of each code are kept: whoever can make alarms must neither fill the memory nor, by many of one kind,
 * have one of another kind forgotten.
 */
const MOST_OF_A_CODE = 50;

/** A function of the caller's: what it throws, at once or later, is not to end what it is told of. */
export function guarded<Told>(tell: (told: Told) => unknown): (told: Told) => void {
  return (told) => {
    try {
      const later = tell(told);
      if (later instanceof Promise) later.catch(() => undefined);
    } catch {
      // Nobody is left to be told.
    }
  };
}

/** Alarms of one vault in one process. */
export class Alarms {
  readonly #raised: RaisedAlarm[] = [];
  readonly #clock: () => Date;
  readonly #onAlarm: (alarm: RaisedAlarm) => void;
  #refusal: VaultError | null = null;

  constructor(clock: () => Date, onAlarm: (alarm: RaisedAlarm) => void) {
    this.#clock = clock;
    this.#onAlarm = guarded(onAlarm);
  }

  /** Newest last. */
  get raised(): readonly RaisedAlarm[] {
    return [...this.#raised];
  }

  raise({ code, message }: Pick<RaisedAlarm, "code" | "message">): void {
    const alarm = { code, message, at: this.#clock().toISOString() };
    this.#raised.push(alarm);
    const ofCode = this.#raised.filter((one) => one.code === code);
    const [oldest] = ofCode;
    if (oldest !== undefined && ofCode.length > MOST_OF_A_CODE) this.#raised.splice(this.#raised.indexOf(oldest), 1);
    this.#onAlarm(alarm);
  }

  /** Whether this error says that the vault was set back: then it is refused from now on. */
  refuses(error: unknown): boolean {
    if (!isVaultError(error) || error.code !== "store-rolled-back") return false;
    const isFirst = this.#refusal === null;
    this.#refusal ??= error;
    if (isFirst) this.raise({ code: error.code, message: error.message });
    return true;
  }

  get isRefused(): boolean {
    return this.#refusal !== null;
  }

  /** @throws VaultError `store-rolled-back`: the vault was found set back */
  requireWhole(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }
}
