/**
 * A file that has, or is to have, the tables of this version: how it is opened by the store and by a move into it.
 */
import { openSqliteFile } from "@strongroom/base/sqlite";
import { requireSchema, schemaAfter } from "./guard.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import type { VaultSchema } from "./schema.ts";
import { Connection } from "./statements.ts";

/** @param inspect looks at what was there before it is migrated; it has the schema that its migrations make */
export async function openRecordsFile(
  path: string,
  { busyTimeoutMs, maxBytes }: { readonly busyTimeoutMs: number; readonly maxBytes: number },
  inspect: (found: { readonly connection: Connection; readonly isNew: boolean }) => void = () => undefined,
): Promise<Connection> {
  const { database } = await openSqliteFile<VaultSchema>(
    path,
    {
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
      synchronous: "full",
      // Waiting for another process must not stop this one, which answers everyone else: it is tried again.
      busyTimeoutMs: 0,
      patienceMs: busyTimeoutMs,
      maxBytes,
    },
    async (found) => {
      requireSchema(found.database, await schemaAfter(MIGRATIONS, found.applied));
      inspect({ connection: new Connection(found.database), isNew: found.applied.length === 0 });
    },
  );
  return new Connection(database);
}
