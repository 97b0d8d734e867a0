/**
 * Waits until what waits in the outboxes now is in the log, whichever process carries it there.
 */
import type { AuditLog, OutboxName } from "../stores/audit-log.ts";
import type { StreamRow } from "../stores/outbox.ts";
import { logStreams, storeStreams } from "./compare-stores.ts";
import { OUTBOXES } from "./stream-care.ts";
import type { Outboxes } from "./stream-care.ts";

type Ahead = StreamRow & { readonly outbox: OutboxName };

/**
 * @param look is called between two looks, and waits; false: it is given up
 * @returns whether all of it is there
 */
export async function carried(
  log: Pick<AuditLog, "streams">,
  outboxes: Outboxes,
  look: () => Promise<boolean>,
): Promise<boolean> {
  const all: Ahead[] = [];
  for (const outbox of OUTBOXES)
    for await (const page of storeStreams(outboxes[outbox])) for (const row of page) all.push({ ...row, outbox });
  let ahead: readonly Ahead[] = all;
  for (;;) {
    ahead = await stillAhead(log, outboxes, ahead);
    if (ahead.length === 0) return true;
    if (!(await look())) return false;
  }
}

async function stillAhead(
  log: Pick<AuditLog, "streams">,
  outboxes: Outboxes,
  ahead: readonly Ahead[],
): Promise<readonly Ahead[]> {
  const left: Ahead[] = [];
  for (const outbox of OUTBOXES) {
    const own = new Map(ahead.filter((row) => row.outbox === outbox).map((row) => [row.stream, row]));
    if (own.size === 0) continue;
    for await (const page of logStreams(log, outbox))
      for (const { stream, number } of page) if (number >= (own.get(stream)?.last ?? Infinity)) own.delete(stream);
    // A stream that has ended goes from the log when it is gone from its store.
    const rest = [...own.values()];
    const rows = rest.length === 0 ? [] : await outboxes[outbox].streams(rest.map(({ stream }) => stream));
    for (const [index, row] of rest.entries()) if (rows[index] !== null) left.push(row);
  }
  return left;
}
