/**
 * A file that has, or is to have, the tables of this version: how it is opened by a store, and by a move into it.
 */
import { openSqliteFile } from "@strongroom/base/sqlite";
import type { Migration } from "kysely";
import { requireSchema, schemaAfter } from "./guard.ts";
import { KEY_APPLICATION_ID, KEY_MIGRATIONS } from "./key-schema.ts";
import { LOG_APPLICATION_ID, LOG_MIGRATIONS } from "./log-schema.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { Connection } from "./statements.ts";

/** What a file keeps. */
export type FileKind = "records" | "keys" | "audit";

/** What tells the files from each other. */
export interface FileForm {
  readonly applicationId: number;
  readonly migrations: Readonly<Record<string, Migration>>;
  /** What such a file is called in an error. */
  readonly title: string;
}

export const FILE_FORMS: Readonly<Record<FileKind, FileForm>> = {
  records: { applicationId: APPLICATION_ID, migrations: MIGRATIONS, title: "a Strongroom vault" },
  keys: { applicationId: KEY_APPLICATION_ID, migrations: KEY_MIGRATIONS, title: "a Strongroom key store" },
  audit: { applicationId: LOG_APPLICATION_ID, migrations: LOG_MIGRATIONS, title: "the log of a Strongroom audit" },
};

/** @param inspect looks at what was there before it is migrated; it has the schema that its migrations make */
export async function openStoreFile(
  path: string,
  kind: FileKind,
  { busyTimeoutMs, maxBytes }: { readonly busyTimeoutMs: number; readonly maxBytes: number },
  inspect: (found: { readonly connection: Connection; readonly isNew: boolean }) => void = () => undefined,
): Promise<Connection> {
  const { applicationId, migrations } = FILE_FORMS[kind];
  const { database } = await openSqliteFile<unknown>(
    path,
    {
      applicationId,
      migrations,
      synchronous: "full",
      // Waiting for another process must not stop this one, which answers everyone else: it is tried again.
      busyTimeoutMs: 0,
      patienceMs: busyTimeoutMs,
      maxBytes,
    },
    async (found) => {
      requireSchema(found.database, await schemaAfter(migrations, found.applied));
      inspect({ connection: new Connection(found.database), isNew: found.applied.length === 0 });
    },
  );
  return new Connection(database);
}
