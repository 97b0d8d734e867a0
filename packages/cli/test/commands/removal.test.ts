import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCommand } from "../support/command.ts";
import { answering } from "../support/hostile-service.ts";
import { type Ended, temporaryFolder } from "../support/installation.ts";

/** A service that notes what it is asked to remove and takes what it is given. */
async function service(asked: string[]): ReturnType<typeof answering> {
  return answering((route, response) => {
    asked.push(route);
    const wraps = { stored: 3, target: 3, missing: [] };
    const put = {
      collection: "people",
      id: "x",
      subject: "x",
      createdAt: "2026-01-01T00:00:00.000Z",
      outcome: "created",
      version: 1,
      wraps,
    };
    const results = Array.from({ length: 3 }, (_, index) => ({
      id: String(index),
      outcome: "created",
      version: 1,
      wraps,
    }));
    response.writeHead(200, { "content-type": "application/json" });
    const removed = { collection: "people", id: "ada", lastVersion: 1, removedAt: "2026-01-01T00:00:00.000Z" };
    response.end(JSON.stringify(route.startsWith("PUT") ? put : route.startsWith("POST") ? { results } : removed));
  });
}

async function run(
  args: readonly string[],
  given: { readonly stdin?: string; readonly columns?: number } = {},
): Promise<Ended & { readonly asked: readonly string[] }> {
  await using folder = await temporaryFolder();
  const asked: string[] = [];
  await using hostile = await service(asked);
  await writeFile(
    join(folder.path, "people.ndjson"),
    ["ada@example.org", "+49 30 1234567", "p-3"].map((id) => `${JSON.stringify({ id })}\n`).join(""),
  );
  const env = { STRONGROOM_TOKEN: "t", STRONGROOM_URL: hostile.url };
  return { ...(await runCommand(args, { cwd: folder.path, env, ...given })), asked };
}

describe("strongroom rm", () => {
  for (const yes of ["y\n", "yes\n", "YES\n", " y \n", "y"])
    it(`removes when a person says ${JSON.stringify(yes)}`, async () => {
      const { code, stderr, asked } = await run(["rm", "people", "ada"], { columns: 80, stdin: yes });
      assert.match(stderr, /Remove people\/ada with all its versions\? \[y\/N\]/);
      assert.deepEqual([code, asked], [0, ["DELETE /v1/records/people/ada"]]);
    });

  for (const no of ["n\n", "\n", "", "yess\n", "no\ny\n", "sure\n"])
    it(`asks for nothing when a person says ${JSON.stringify(no)}`, async () => {
      const { code, stderr, asked } = await run(["rm", "people", "ada"], { columns: 80, stdin: no });
      assert.match(stderr, /\[not-confirmed\]/);
      assert.deepEqual([code, asked], [2, []]);
    });

  it("takes no answer from a pipe, nor in JSON, and asks nothing with --yes", async () => {
    for (const args of [[], ["--json"]]) {
      const { code, asked, stderr } = await run(["rm", "people", "ada", ...args], { stdin: "y\n" });
      assert.match(stderr, /not-confirmed/);
      assert.deepEqual([code, asked], [2, []]);
    }
    assert.equal((await run(["rm", "people", "ada", "--json"], { columns: 80, stdin: "y\n" })).code, 2);
    for (const more of [{}, { columns: 80 }]) {
      const { code, asked, stderr } = await run(["rm", "people", "ada", "--yes"], more);
      assert.deepEqual([code, asked.length, stderr], [0, 1, ""]);
    }
  });

  it("says in its help what remains", async () => {
    const { stdout } = await run(["rm", "--help"]);
    for (const part of ["What remains", "audit of the KMS", "backups"])
      assert.ok(stdout.replace(/\s+/g, " ").includes(part), part);
  });
});

describe("an id that looks like an address", () => {
  it("is warned of by put; other ids are not, nor subjects, whose names are sealed", async () => {
    const warned = /The id looks like an address\. An id is not encrypted/;
    assert.match((await run(["put", "people", "ada@example.org"], { stdin: "{}" })).stderr, warned);
    for (const args of [["p-1"], ["p-2", "--subject", "+49 30 1234567"]])
      assert.equal((await run(["put", "people", ...args], { stdin: "{}" })).stderr, "");
  });

  it("is warned of by import, once with how many", async () => {
    const { stderr } = await run(["import", "people", "people.ndjson", "--id", "id"]);
    assert.equal(stderr.match(/look like addresses/g)?.length, 1);
    assert.match(stderr, /^2 ids look like addresses or telephone numbers\./m);
    const json = await run(["import", "people", "people.ndjson", "--id", "id", "--json"]);
    assert.equal((JSON.parse(json.stdout) as { personalIds: number }).personalIds, 2);
  });
});
