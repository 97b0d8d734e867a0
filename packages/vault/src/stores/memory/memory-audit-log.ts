/**
 * A log of the audit in memory, for tests of those who use a vault. Nothing of it outlives the process.
 */
import { ruledOptions } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import type { AuditLog } from "../audit-log.ts";
import { takeAddition, takeRanges } from "../log-limits.ts";
import { integrate } from "./log-additions.ts";
import { memoryLog } from "./log-reads.ts";
import { logTablesOf, MemoryAuditStorage } from "./log-tables.ts";
import { Opened } from "./opened.ts";

/** What a log of the audit in memory is made with. */
export interface MemoryAuditLogOptions {
  /** Shared with other logs, as processes share a database. Left out: one of its own. */
  readonly storage?: MemoryAuditStorage;
  /** Now, for leases. For tests that have time of their own. */
  readonly clock?: () => Date;
}

/**
 * Opens a log of the audit in memory.
 *
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { memoryAuditLog } from "@strongroom/vault/memory";
 *
 * const log = memoryAuditLog();
 * console.log((await log.state()).size); // prints: 0
 * await log.close();
 * ```
 */
export function memoryAuditLog(options: MemoryAuditLogOptions = {}): AuditLog {
  const { values, problems } = ruledOptions(
    options,
    {
      storage: [(value) => value instanceof MemoryAuditStorage, "a MemoryAuditStorage"],
      clock: [(value) => typeof value === "function", "a function"],
    },
    { what: "the options of a log of the audit in memory", needed: [] },
  );
  if (problems.length > 0) throw new VaultError("vault-option-invalid", problems.join("; "));
  const { storage = new MemoryAuditStorage(), clock = () => new Date() } = values as MemoryAuditLogOptions;
  const opened = new Opened(logTablesOf(storage), () => clock().getTime());
  const log = memoryLog(opened.tables);
  return {
    ...opened.calls,
    state: () => opened.read(() => log.state()),
    integrate: async ({ history, size }, addition, lease) => {
      const base = { history, size };
      const own = { base, addition: takeAddition(base, addition), lease: { ...lease } };
      return opened.change(own, (taken) => integrate(opened.tables, taken));
    },
    published: (size) =>
      opened.change(size, (own) => {
        log.published(own);
      }),
    latest: (queries) => opened.read(() => log.latest(queries)),
    firstVersions: (tags) => opened.read(() => log.firstVersions(tags)),
    heads: (page) => opened.read(() => log.heads(page)),
    entries: (range) => opened.read(() => log.entries(range)),
    counts: () => opened.read(() => log.counts()),
    positions: (ids) => opened.read(() => log.positions(ids)),
    namedKeys: (page) => opened.read(() => log.namedKeys(page)),
    find: (query, page) => opened.read(() => log.find(query, page)),
    hashes: (of) => opened.read(() => log.hashes(of)),
    streams: (outbox, page) => opened.read(() => log.streams(outbox, page)),
    forgettable: (request) => opened.read(() => log.forgettable(request)),
    forget: async (ranges) => opened.change(takeRanges(ranges), (own) => log.forget(own)),
  };
}
