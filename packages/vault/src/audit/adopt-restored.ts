/**
 * Adopts everything after a restore that was accepted, before anybody reads: as long as an address is not adopted its
 * record is taken as it is found, so whoever can write the database could set it back in that time and have it adopted
 * so. It takes as long as reading every message does. A process that ends in between leaves the rest to the next one.
 */
import type { AuditLog, LogState } from "../stores/audit-log.ts";
import type { Leased } from "../stores/jobs.ts";
import type { Adoption } from "./adoption.ts";
import type { HeldLog } from "./held-log.ts";
import { Overtaken } from "./held-log.ts";
import { givenUpAt } from "./own-checkpoints.ts";
import { SEQUENCER_PACE } from "./sequencer.ts";

/** Whether a history that an accepted restore began is not adopted yet. */
export const isToAdopt = async (log: Pick<AuditLog, "find">, { adopted }: LogState): Promise<boolean> =>
  !adopted && (await givenUpAt(log)) >= 0;

/** What it is done with. */
export interface RestoredParts {
  readonly held: HeldLog;
  readonly lease: Leased;
  readonly adoption: Adoption;
}

/** Goes on to the end of the adoption. @throws Overtaken: another process has the lease */
export async function adoptRestored(
  { jobs }: Pick<AuditLog, "jobs">,
  { held, lease, adoption }: RestoredParts,
): Promise<void> {
  let renewedAt = performance.now();
  const between = async (): Promise<void> => {
    if (performance.now() - renewedAt < SEQUENCER_PACE.renewMs) return;
    const progress = { cursor: adoption.cursor, done: 0, failed: 0, problem: null };
    if ((await jobs.save(lease, progress, SEQUENCER_PACE.leaseMs)) === "overtaken")
      throw new Overtaken("the lease is another process's");
    renewedAt = performance.now();
  };
  while (!held.appender.state.adopted) {
    // What an address has waiting comes to the log first.
    while (await held.carry()) await between();
    await adoption.step(held, between);
    await between();
  }
}
