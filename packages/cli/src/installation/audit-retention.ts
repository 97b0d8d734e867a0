// Forgets the texts of old entries of the audit, once an hour: their hashes stay in the log, and entries say what went.
import type { VaultAudit } from "@strongroom/vault";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is forgotten, and who hears of it. */
export interface RetentionParts {
  readonly audit: Pick<VaultAudit, "forget">;
  readonly days: number;
  readonly onFault: (error: unknown) => void;
}

/** Begins at once. Of several processes each does it: what one has forgotten the others do not find. */
export function keepRetention({ audit, days, onFault }: RetentionParts): { close(): Promise<void> } {
  const ended = new AbortController();
  let under: Promise<unknown> = Promise.resolve();
  const round = (): void => {
    const before = new Date(Date.now() - days * DAY_MS).toISOString();
    under = under.then(() => audit.forget({ before, signal: ended.signal })).catch(onFault);
  };
  const timer = setInterval(round, HOUR_MS).unref();
  round();
  return {
    close: async () => {
      clearInterval(timer);
      ended.abort();
      await under;
    },
  };
}
