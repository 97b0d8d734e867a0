import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Client } from "@strongroom/client";
import { mergeSender } from "../../src/transfer/merge.ts";
import { mergeDocuments } from "../../src/transfer/merge-documents.ts";
import { newReport } from "../../src/transfer/report.ts";
import { commandService } from "../support/service.ts";

describe("two documents about one person", () => {
  const merged = (stored: object, added: object, preference: "stored" | "file" = "stored"): unknown => {
    const { document, conflicts } = mergeDocuments(stored as never, added as never, preference);
    return [document, conflicts];
  };

  it("are merged object by object; lists, texts and null are one value", () => {
    assert.deepEqual(merged({ a: 1 }, { b: 2 }), [{ a: 1, b: 2 }, []]);
    assert.deepEqual(merged({ a: { x: 1 } }, { a: { y: { z: 2 } } }), [{ a: { x: 1, y: { z: 2 } } }, []]);
    assert.deepEqual(merged({ a: [1] }, { a: [1] }), [{ a: [1] }, []]);
    assert.deepEqual(merged({ a: [1] }, { a: [1, 2] }), [{ a: [1] }, ["a"]]);
    assert.deepEqual(merged({ a: { b: null } }, { a: { b: "x" } }), [{ a: { b: null } }, ["a.b"]]);
    assert.deepEqual(merged({ a: { x: 1 } }, { a: 5 }, "file"), [{ a: 5 }, ["a"]]);
    assert.deepEqual(merged({ "a.b": { c: 1 } }, { "a.b": { c: 2 } }, "file"), [{ "a.b": { c: 2 } }, ["a\\.b.c"]]);
    assert.deepEqual(merged({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }), [{ a: { x: 1, y: 2 } }, []]);
    assert.deepEqual(merged({ a: {} }, { a: { x: 1 } }), [{ a: { x: 1 } }, []]);
  });

  it("may have members that JavaScript has names for", () => {
    const added = JSON.parse('{"__proto__":{"x":1},"constructor":"c"}') as object;
    const [document] = merged(JSON.parse('{"__proto__":{"y":2}}') as object, added) as [object];
    assert.equal(JSON.stringify(document), '{"__proto__":{"y":2,"x":1},"constructor":"c"}');
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});

describe("import --merge", () => {
  it("loses no write that comes in between", async (t) => {
    const { client } = await commandService(t);
    await client.records.put("people", "1", { name: "Ada" });
    await client.records.put("people", "3", { name: "Kurt" });
    let between = 0;
    const interrupted: Client = {
      ...client,
      records: {
        ...client.records,
        put: async (collection, id, document, options) => {
          // Another writer, after the record was read and before it is written.
          if (between++ < 4)
            await client.records.put(collection, id, { ...(await stored(client, id)), [`w${between}`]: 1 });
          return client.records.put(collection, id, document, options);
        },
      },
    };
    const report = newReport("people", "line");
    const send = mergeSender(
      { onConflict: "refuse", idField: ["id"] },
      { client: interrupted, report, retryForMs: 0, signal: new AbortController().signal },
    );
    await send([{ position: 1, item: { id: "1", document: { phone: "030" } } }]);
    await send([{ position: 2, item: { id: "2", document: { phone: "040" } } }]);
    assert.deepEqual(await stored(client, "1"), { name: "Ada", w1: 1, w2: 1, w3: 1, w4: 1, phone: "030" });
    assert.deepEqual([report.created, report.merged, report.bad], [1, 1, []]);
    // One that never has its turn is told as a bad record, and the others are merged.
    between = -1000;
    const busy = mergeSender(
      { onConflict: "refuse", idField: ["id"] },
      {
        client: { ...interrupted, records: { ...interrupted.records, put: alwaysLate(client) } },
        report,
        retryForMs: 0,
        signal: new AbortController().signal,
      },
    );
    await busy([{ position: 3, item: { id: "3", document: { phone: "050" } } }]);
    assert.deepEqual(
      report.bad.map(({ position, code }) => [position, code]),
      [[3, "version-conflict"]],
    );
  });

  it("takes an id that is a number here and a text there as the same, and keeps the subject", async (t) => {
    const { folder, client, run } = await commandService(t);
    await client.records.put("people", "7", { id: 7, name: "Ada" }, { subject: "person-1" });
    await writeFile(join(folder, "people.csv"), "id,phone\n7,030\n");
    const done = await run("import people people.csv --id id --merge");
    assert.match(done.stdout, /1 of 1 records are in people \(1 merged\)/);
    const record = await client.records.get("people", "7");
    assert.deepEqual(
      [record.document, record.subject, record.version],
      [{ id: 7, name: "Ada", phone: "030" }, "person-1", 2],
    );
    assert.match((await run("import people people.csv --id id --merge")).stdout, /1 unchanged/);
    assert.equal((await client.records.history("people", "7")).length, 2);
  });

  it("names the fields of a conflict in both outputs, and what the service says of one record", async (t) => {
    const { folder, client, run } = await commandService(t);
    await client.records.put("people", "1", { id: "1", "e\u001b[2Jmail": "a", in: { x: 1 } });
    const lines = [{ id: "1", "e\u001b[2Jmail": "secret", in: { x: 2, y: 1 } }, { id: "a/b" }, { id: "2" }];
    await writeFile(join(folder, "more.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const refused = await run("import people more.ndjson --id id --merge");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /line 1: says something else than what is stored in .*mail, in\.x/);
    assert.match(refused.stderr, /line 2: .*separates folders in a path.* \[id-invalid\]/);
    assert.doesNotMatch(refused.stderr, /secret|\u001b\[2J/);
    const kept = await run("import people more.ndjson --id id --merge --on-conflict stored --skip-bad");
    assert.match(
      kept.stderr,
      /In 1 of them file and vault say different things:\n {2}- line 1: e\\u\{1b\}\[2Jmail, in\.x/,
    );
    assert.deepEqual((await client.records.get("people", "1")).document, {
      id: "1",
      "e\u001b[2Jmail": "a",
      in: { x: 1, y: 1 },
    });
    const json = await run("import people more.ndjson --id id --merge --on-conflict file --skip-bad --json");
    const report = JSON.parse(json.stdout) as { readonly conflicts: unknown; readonly bad: unknown };
    assert.deepEqual(report.conflicts, [{ line: 1, fields: ["e\u001b[2Jmail", "in.x"] }]);
    assert.deepEqual(report.bad, [
      { line: 2, reason: 'The id contains "/", which separates folders in a path [id-invalid]', code: "id-invalid" },
    ]);
  });
});

async function stored(client: Client, id: string): Promise<Readonly<Record<string, unknown>>> {
  return client.records.get("people", id).then(
    ({ document }) => document,
    () => ({}),
  );
}

/** A writer that is always slower than another one. */
function alwaysLate(client: Client): Client["records"]["put"] {
  return async (collection, id, document, options) => {
    await client.records.put(collection, id, { ...(await stored(client, id)), again: Math.random() });
    return client.records.put(collection, id, document, options);
  };
}
