// Retention by a server at work: once a day the texts of entries that are older than so many days go. The cut is signed
// first, in a commit like any other, and the texts go in small steps after it, so that nobody waits for them; what a
// server that ended in between has left is part of its next cut.

import { setImmediate } from "node:timers/promises";
import type { Logger } from "pino";
import { DAY } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { OpenDatabase } from "../store/database.ts";
import type { Store } from "../store/store.ts";
import { cutEvent, planCut, removeTexts } from "./cut.ts";
import { operator, timeOf } from "./log-event.ts";

/** Texts that go in one step. */
const STEP = 500;
const LOOK_MS = 3_600_000;

/** What retention works with. */
export interface RetentionParts {
  readonly database: OpenDatabase;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Entries younger than this keep their texts. */
  readonly days: number;
}

/** Cuts now and once a day, until it is closed. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #looking: NodeJS.Timeout;
  #cutAt = Number.NEGATIVE_INFINITY;
  #cutting: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    const look = (): void => {
      if (parts.clock.now() - this.#cutAt < DAY) return;
      this.#cutAt = parts.clock.now();
      this.#cutting = this.#cutting
        .then(() => this.#cut())
        .catch((error: unknown) => {
          // What is not cut today is cut tomorrow.
          parts.logger.error({ err: error }, "the audit could not be cut");
        });
    };
    this.#looking = setInterval(look, LOOK_MS).unref();
    look();
  }

  /** Resolves when a cut under way has ended, where it is. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#looking);
    await this.#cutting;
  }

  /** A function: the compiler takes what it has read once for what still is. */
  #goesOn(): boolean {
    return !this.#isClosed;
  }

  async #cut(): Promise<void> {
    const { database, store, clock, logger, days } = this.#parts;
    const { db } = database;
    const newest = await db.selectFrom("audit").select("event").orderBy("seq", "desc").limit(1).executeTakeFirst();
    const last = newest?.event ?? null;
    if (last === null) return;
    // Threat: a machine's clock that is years ahead would take everything. Age is counted from the newest entry.
    const before = Math.min(clock.now(), timeOf(last) ?? 0) - days * DAY;
    const cut = await planCut(db, before);
    if (cut.removed === 0 || this.#isClosed) return;
    const by = `retention of ${days} days, ${operator()}`;
    await store.commit(store.epoch, [], [cutEvent(cut, { before, by, at: clock.now() })]);
    for (let after = 0; after < cut.through && this.#goesOn(); after += STEP) {
      await removeTexts(db, cut, { after, through: Math.min(after + STEP, cut.through) });
      await setImmediate();
    }
    await database.syncLog();
    // Threat: the texts live on in SQLite's log.
    database.truncateLog();
    logger.info({ through: cut.through, removed: cut.removed, days }, "the audit was cut: old entries are hashes now");
  }
}
