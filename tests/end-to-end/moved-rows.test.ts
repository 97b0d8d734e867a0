// Rows moved by plain SQL in the database of a running installation: each read is refused with a code of its own kind
// and releases nothing.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, suite, test } from "node:test";
import { Installation } from "./installation.ts";

/** A row's place, by the record's address. */
const at = (collection: string, id: string, version?: number): string =>
  `where record = (select record from records where collection = '${collection}' and id = '${id}')` +
  (version === undefined ? "" : ` and version = ${version}`);
/** Puts the message of one row in the place of another's. */
const move = (from: string, to: string): string =>
  `update versions set message = (select message from versions ${from}) ${to}`;

const PUT = (name: string): Readonly<Record<string, string>> => ({ name, email: `${name.toLowerCase()}@example.org` });

suite("a row moved by hand", () => {
  let installation: Installation;

  before(async () => {
    installation = await Installation.start();
    for (const id of ["ada", "grace", "edith"]) await installation.request("PUT", `/v1/records/people/${id}`, PUT(id));
    await installation.request("PUT", "/v1/records/patients/ada", PUT("patient"));
    await installation.request("PUT", "/v1/records/people/edith", PUT("edith-again"));
  });
  after(() => installation[Symbol.asyncDispose]());

  const moves = [
    {
      name: "onto another id",
      sql: move(at("people", "ada"), at("people", "grace")),
      path: "/v1/records/people/grace",
      code: "record-moved",
    },
    {
      name: "onto another collection",
      sql: move(at("people", "ada"), at("patients", "ada")),
      path: "/v1/records/patients/ada",
      code: "record-moved-collection",
    },
    {
      name: "an old version put back over the new one's row",
      sql: move(at("people", "edith", 1), at("people", "edith", 2)),
      path: "/v1/records/people/edith",
      code: "record-rolled-back",
    },
  ];

  for (const { name, sql, path, code } of moves) {
    test(`${name}: ${code}`, async () => {
      const database = new DatabaseSync(join(installation.dataDir, "records.sqlite"), { timeout: 5_000 });
      try {
        assert.equal(database.prepare(sql).run().changes, 1);
      } finally {
        database.close();
      }
      const answer = await installation.request("GET", path);
      const body = await answer.text();
      assert.ok(answer.status >= 400, `status ${answer.status}`);
      assert.equal((JSON.parse(body) as { code: string }).code, code);
      assert.ok(!body.includes("example.org") && !body.includes("ada@"), "nothing of a document is released");

      const [collection = "", id = ""] = path.split("/").slice(3);
      const command = await installation.run(["get", collection, id]);
      assert.equal(command.code, 5);
      assert.equal(command.stdout, "");
      assert.match(command.stderr, new RegExp(code));
    });
  }
});
