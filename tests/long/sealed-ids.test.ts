// E-mail addresses as ids of collections whose ids are sealed, in PostgreSQL: they are not in its data directory either,
// its write-ahead log and its own log included.
import { test } from "node:test";
import { nowhere } from "../end-to-end/address-walk.ts";
import { startPostgres } from "../support/postgres/server.ts";

test("no address of a sealed collection is in PostgreSQL's data directory", async (t) => {
  const server = await startPostgres(t);
  const url = new URL(server.url);
  url.password = "";
  const settings = { STRONGROOM_STORE: url.href, STRONGROOM_STORE_PASSWORD: server.password };
  await nowhere(t, settings, [server.folder]);
});
