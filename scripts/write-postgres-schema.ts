// `npm run schema:postgres`
import { writeFileSync } from "node:fs";
import { PostgresServer } from "../tests/support/postgres/server.ts";
import { SCHEMA_FILE, schemaFile } from "./postgres-schema.ts";

await using server = await PostgresServer.start();
writeFileSync(SCHEMA_FILE, await schemaFile(server));
