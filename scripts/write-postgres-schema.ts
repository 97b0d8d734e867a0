// `npm run schema:postgres`
import { writeFileSync } from "node:fs";
import { PostgresServer } from "../tests/support/postgres/server.ts";
import { KEY_LINES, RECORD_LINES, schemaFile } from "./postgres-schema.ts";

await using server = await PostgresServer.start();
for (const written of [RECORD_LINES, KEY_LINES]) writeFileSync(written.file, await schemaFile(server, written));
