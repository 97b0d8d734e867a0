// The connection to PostgreSQL breaks in the moment in which a write is committed, a thousand times: no version comes
// twice, no conflict is told that is none, and everything acknowledged is there.
import { test } from "node:test";
import { lostAnswers } from "../support/faults/lost-answers.ts";
import { startPostgres } from "../support/postgres/server.ts";

test("a thousand lost answers to a commit, and requests that come late or never", async (t) => {
  const server = await startPostgres(t, { settings: { max_connections: "300" } });
  await lostAnswers(t, server, { "lose-answer": 1000, "lose-request": 200, "keep-request": 100 });
});
