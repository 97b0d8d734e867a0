// A few processes of a vault with an audit that are killed; the long form kills 200.
import { join } from "node:path";
import { test } from "node:test";
import { sequencerKilled, vaultKilled } from "../support/faults/audit-killed.ts";
import type { AuditKilled } from "../support/faults/audit-killed.ts";
import { temporaryFolder } from "../support/faults/folder.ts";

for (const [what, killed] of [
  ["whoever carries entries to the log", sequencerKilled],
  ["whoever reads, writes and carries entries", vaultKilled],
] as const)
  test(`${what} is killed: the log has each entry once, and all that was acknowledged`, async (t) => {
    const folder = await temporaryFolder(t);
    const at = (name: string) => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) }) as const;
    await killed(t, {
      place: { records: at("records"), keys: at("keys"), log: at("audit") },
      kills: 3,
    } satisfies AuditKilled);
  });
