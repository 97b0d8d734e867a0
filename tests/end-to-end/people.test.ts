// The main job, end to end: people go in by import, come out by export, and nothing of them lies on the disk in
// between.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Installation } from "./installation.ts";
import { EXAMPLE_PEOPLE, PUBLIC_SAMPLE, readPeople } from "./people.ts";
import type { Person } from "./people.ts";
import { countTraces, filesBelow } from "./traces.ts";

const SOURCES = [
  { name: "example people", path: EXAMPLE_PEOPLE },
  { name: "public sample of people", path: PUBLIC_SAMPLE },
];

for (const { name, path } of SOURCES) {
  suite(
    `import and export of the ${name}`,
    { skip: path === null ? "absent: set STRONGROOM_PEOPLE to its path" : false },
    () => {
      test("every document comes back equal, and no name, e-mail or phone is found on the disk", async (context) => {
        const file = path ?? "";
        const people = readPeople(file);
        await using installation = await Installation.start();

        const imported = await installation.run(["import", "people", file, "--id", "id"]);
        assert.equal(imported.code, 0, imported.stderr);
        const again = await installation.run(["import", "people", file, "--id", "id"]);
        assert.equal(again.code, 0, again.stderr);

        const out = join(installation.folder, "export.ndjson");
        const exported = await installation.run(["export", "people", out]);
        assert.equal(exported.code, 0, exported.stderr);
        const returned = new Map(readPeople(out).map((person) => [person.id, person]));
        assert.equal(returned.size, people.length);
        for (const person of people) assert.deepEqual(returned.get(person.id), person);

        // A second import of the same file made no second version.
        const history = await installation.run(["history", "people", people[0]!.id, "--json"]);
        assert.equal((history.stdout.match(/"version":\s*\d+/g) ?? []).length, 1, history.stdout);

        writeFileSync(out, "");
        const files = filesBelow(installation.folder).filter((found) => found !== out);
        const secrets = people.flatMap(secretsOf);
        assert.ok(secrets.length >= people.length);
        assert.equal(countTraces(files, secrets), 0);
        context.diagnostic(
          `${people.length} of ${people.length} documents equal; ${secrets.length} texts searched in ${files.length} files, 0 found`,
        );

        assert.equal(await installation.down(), 0);
        assert.equal(
          countTraces(
            filesBelow(installation.folder).filter((found) => found !== out),
            secrets,
          ),
          0,
        );
        await installation.up();
        const person = people.at(-1)!;
        const read = await installation.request("GET", `/v1/records/people/${encodeURIComponent(person.id)}`);
        assert.deepEqual(await read.json(), person);
      });
    },
  );
}

test("the search for traces finds a text in each form it may have", () => {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-test-"));
  const file = join(folder, "leak");
  try {
    const text = "..Ada Lovelace, London";
    const forms = [
      text,
      Buffer.from(text, "utf16le"),
      Buffer.from(text, "utf16le").swap16(),
      ...(["hex", "base64", "base64url"] as const).map((encoding) => Buffer.from(text).toString(encoding)),
    ];
    for (const form of forms) {
      writeFileSync(file, form);
      assert.ok(countTraces([file], ["Ada Lovelace"]) > 0, String(form));
      assert.equal(countTraces([file], ["Ada Byron"]), 0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Everything of a person that names or reaches them. Very short texts would be found by chance and are left out. */
function secretsOf(person: Person): string[] {
  const offices = Array.isArray(person["offices"]) ? (person["offices"] as Readonly<Record<string, unknown>>[]) : [];
  return [person["name"], person["email"], person["phone"], ...offices.map((office) => office["phone"])]
    .filter((value): value is string => typeof value === "string")
    .filter((value) => value.length >= 6);
}
