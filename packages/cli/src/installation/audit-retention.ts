// Forgets the texts of old entries of the audit, once an hour: their hashes stay in the log, and an entry says what
// went.
import type { AuditAction, AuditLog, VaultAudit } from "@strongroom/vault";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Entries of one step, so that nobody waits long for the log. */
const AT_ONCE = 1000;

/** Entries that say what became of others, or of the log itself, stay readable. */
const KEPT: readonly AuditAction[] = [
  "forget",
  "gap",
  "altered",
  "streams-closed",
  "adopted",
  "accept-restore",
  "cut",
  "principal",
];

/** What is forgotten, and who hears of it. */
export interface RetentionParts {
  readonly log: Pick<AuditLog, "forget">;
  readonly audit: Pick<VaultAudit, "tell">;
  readonly days: number;
  readonly onFault: (error: unknown) => void;
}

/** Forgets what is older than the days now. Answers how many entries lost their text. */
export async function forgetOld({ log, audit, days }: Omit<RetentionParts, "onFault">, now: number): Promise<number> {
  const before = new Date(now - days * DAY_MS).toISOString();
  let entries = 0;
  for (let found = AT_ONCE; found === AT_ONCE; entries += found)
    found = await log.forget({ before, keep: KEPT, limit: AT_ONCE });
  // A process that ends between the two forgets unsaid; the log itself says up to where texts may be missing.
  if (entries > 0) await audit.tell("forget", "done", { details: { before, entries } });
  return entries;
}

/** Begins at once. Of several processes each does it: what one has forgotten the others do not find. */
export function keepRetention(parts: RetentionParts): { close(): Promise<void> } {
  let under: Promise<unknown> = Promise.resolve();
  const round = (): void => {
    under = under.then(() => forgetOld(parts, Date.now())).catch(parts.onFault);
  };
  const timer = setInterval(round, HOUR_MS).unref();
  round();
  return {
    close: async () => {
      clearInterval(timer);
      await under;
    },
  };
}
