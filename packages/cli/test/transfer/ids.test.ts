import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { appendFile, chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { comparable, derivedIds, idsFromField } from "../../src/transfer/ids.ts";
import { openIdsFile } from "../../src/transfer/ids-file.ts";
import { fieldNames } from "../../src/transfer/named-fields.ts";
import { temporaryFolder } from "../support/installation.ts";
import { commandService } from "../support/service.ts";

const key = createSecretKey(Buffer.alloc(32, 7));

function idOf(fields: string, document: object, under = key): string {
  const named = fieldNames(null).list("id-from", fields);
  const id = derivedIds(named, under).of(document as Record<string, unknown>, 1);
  return id.kind === "text" ? id.text : `problem: ${id.reason}`;
}

describe("an id that is made of fields", () => {
  it("is the same for spellings that are one, and another for values that are not", () => {
    const ada = idOf("email", { email: "ada@example.org" });
    assert.match(ada, /^[0-9a-f]{32}$/);
    for (const same of ["Ada@Example.ORG", "  ada@example.org\t", "ada@example.org\u200b", "ａｄａ@example.org"])
      assert.equal(idOf("email", { email: same }), ada, same);
    for (const other of ["ada@example.com", "ad a@example.org", "ada+x@example.org"])
      assert.notEqual(idOf("email", { email: other }), ada, other);
    assert.equal(idOf("n", { n: "Zoë" }), idOf("n", { n: "Zoe\u0308" }));
    assert.equal(idOf("n", { n: "Anna  Maria" }), idOf("n", { n: "anna\u00a0maria" }));
    assert.equal(comparable("ẞ İ"), comparable("ß i\u0307"));
    assert.equal(comparable("Zoe\u200b\u0308"), "zoë");
    assert.notEqual(idOf("n", { n: "+49 30" }), idOf("n", { n: "0049 30" }));
  });

  it("does not depend on the field's name, but on the order, the borders and the key", () => {
    assert.equal(idOf("mail", { mail: "x" }), idOf("person.email", { person: { email: "x" } }));
    assert.equal(idOf("a", { a: 7 }), idOf("a", { a: "7" }));
    const both = idOf("a,b", { a: "x", b: "yz" });
    assert.notEqual(idOf("a,b", { a: "xy", b: "z" }), both);
    assert.notEqual(idOf("b,a", { a: "x", b: "yz" }), both);
    assert.notEqual(idOf("a,b", { a: "x", b: "yz" }, createSecretKey(Buffer.alloc(32, 8))), both);
    assert.deepEqual(
      fieldNames(null)
        .list("drop", "a, b\\,c,d.e")
        .map(({ field }) => field),
      [["a"], ["b,c"], ["d", "e"]],
    );
    assert.equal(idOf("b\\,c", { "b,c": "x" }), idOf("a", { a: "x" }));
  });

  it("is not made of nothing", () => {
    for (const [document, reason] of [
      [{}, "the field email is missing, so that no id can be made"],
      [{ email: "" }, "the field email is empty, so that no id can be made"],
      [{ email: " \u200b " }, "the field email is empty, so that no id can be made"],
      [{ email: ["a"] }, "the field email is neither a text nor a whole number, so that no id can be made"],
    ] as const)
      assert.equal(idOf("name,email", { name: "Ada", ...document }), `problem: ${reason}`);
  });

  it("may be made of an item of a list", () => {
    assert.equal(idOf("email.0.value", { email: [{ value: "x" }] }), idOf("a", { a: "x" }));
    assert.deepEqual(idsFromField({ field: ["tel", "0"] }).of({ tel: ["7"] }, 1), { kind: "text", text: "7" });
  });
});

describe("the key of the ids", () => {
  const line = '{"email":"ada@example.org"}\n';
  const ids = async (exported: string): Promise<readonly string[]> =>
    exported.split("\n").flatMap((text) => (text === "" ? [] : [(JSON.parse(text) as { id: string }).id]));

  it("is made once, for its owner alone, and used again", async (t) => {
    const { folder, run } = await commandService(t);
    const first = await run("import one - --id-from email", { stdin: line });
    assert.equal(first.code, 0, first.stderr);
    const path = join(folder, "ids.key");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.match(first.stderr, /ids\.key was made/);
    const made = await readFile(path, "utf8");
    const second = await run("import two - --id-from email", { stdin: line });
    assert.doesNotMatch(second.stderr, /was made/);
    assert.equal(await readFile(path, "utf8"), made);
    const [one, two] = await Promise.all(
      ["one", "two"].map(async (name) => (await run(`export ${name} --id id`)).stdout),
    );
    assert.deepEqual(await ids(one ?? ""), await ids(two ?? ""));
    assert.doesNotMatch(first.stdout + first.stderr + second.stdout, new RegExp(made.trim().replace(/[+/]/g, ".")));
  });

  it("is refused where others may read it, where it is short, and where it is not there", async (t) => {
    const { folder, run } = await commandService(t);
    const refused = async (options: string, detail: RegExp): Promise<void> => {
      const { code, stderr } = await run(`import people - --id-from email ${options}`.trim(), { stdin: line });
      assert.equal(code, 2);
      assert.match(stderr, /\[id-key-unusable\]/);
      assert.match(stderr, detail);
    };
    await refused("--id-key-file missing.key", /there is no such file/);
    await writeFile(join(folder, "short.key"), "secret", { mode: 0o600 });
    await refused("--id-key-file short.key", /holds 6 bytes; a key has at least 32/);
    await writeFile(join(folder, "line.key"), `${"k".repeat(31)}\n`, { mode: 0o600 });
    await refused("--id-key-file line.key", /holds 31 bytes/);
    await refused("--data-dir nowhere", /There is no data folder/);
    await chmod(folder, 0o755);
    await writeFile(join(folder, "open.key"), "k".repeat(40), { mode: 0o644 });
    await chmod(join(folder, "open.key"), 0o644);
    await refused("--id-key-file open.key", /lets others read it/);
    // One that is there and may not be used is never replaced by a new one.
    await writeFile(join(folder, "ids.key"), "k".repeat(40), { mode: 0o644 });
    await chmod(join(folder, "ids.key"), 0o644);
    await refused("", /lets others read it/);
    assert.equal(await readFile(join(folder, "ids.key"), "utf8"), "k".repeat(40));
  });

  it("is the same with the line break of an editor and without it", async (t) => {
    const { folder, run } = await commandService(t);
    for (const [name, content] of [
      ["a", "k".repeat(40)],
      ["b", `${"k".repeat(40)}\n`],
      ["c", `${"k".repeat(40)}\r\n`],
    ] as const) {
      await writeFile(join(folder, name), content, { mode: 0o600 });
      assert.equal((await run(`import people - --id-from email --id-key-file ${name}`, { stdin: line })).code, 0);
    }
    assert.equal((await run("export people")).stdout, line);
  });
});

describe("the file of random ids", () => {
  it("keeps equal documents apart, completes a row that a crash cut, and refuses what is not its own", async (t) => {
    const { folder, run } = await commandService(t);
    const path = join(folder, "ids.csv");
    const people = '{"n":"x"}\n{"n":"x"}\n{"n":"y"}\n';
    const line = "import people - --new-ids --ids-file ids.csv";
    assert.match((await run(line, { stdin: people })).stdout, /3 of 3 records are in people \(3 created\)/);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const text = await readFile(path, "utf8");
    assert.match(text, /^line,id,fingerprint\n(\d,[0-9a-f]{32},[0-9a-f]{32}\n){3}$/);
    assert.equal(
      new Set(
        text
          .split("\n")
          .slice(1, 4)
          .map((row) => row.split(",")[1]),
      ).size,
      3,
    );
    await appendFile(path, "4,0123");
    assert.match((await run(line, { stdin: `${people}{"n":"z"}\n` })).stdout, /\(1 created, 3 unchanged\)/);
    assert.match(await readFile(path, "utf8"), /^line,id,fingerprint\n(\d,[0-9a-f]{32},[0-9a-f]{32}\n){4}$/);
    await writeFile(path, "id,name\n1,secret\n");
    const { code, stderr } = await run(line, { stdin: people });
    assert.equal(code, 2);
    assert.match(stderr, /Line 1 of .*ids\.csv is not one that an import wrote/);
    assert.equal(await readFile(path, "utf8"), "id,name\n1,secret\n");
    await rm(path);
    await writeFile(path, "secret");
    assert.equal((await run(line, { stdin: people })).code, 2);
  });

  it("has the ids on the disk before the records are sent", async (t) => {
    const { folder, run } = await commandService(t);
    const away = await run("import people - --new-ids --ids-file ids.csv --retry-for 0", {
      stdin: '{"n":"x"}\n',
      url: "http://127.0.0.1:1",
    });
    assert.equal(away.code, 7);
    const text = await readFile(join(folder, "ids.csv"), "utf8");
    assert.equal(text.split("\n").length, 3);
    await run("import people - --new-ids --ids-file ids.csv", { stdin: '{"n":"x"}\n' });
    assert.equal(await readFile(join(folder, "ids.csv"), "utf8"), text);
  });

  it("is written by one import at a time", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "ids.csv");
    const [one, two] = await Promise.all([openIdsFile(path), openIdsFile(path)]);
    const row = { line: 1, id: "0".repeat(32), fingerprint: "1".repeat(32) };
    one.add(row);
    two.add(row);
    await one.flush();
    await assert.rejects(two.flush(), { code: "ids-file-unusable" });
    await Promise.all([one.close(), two.close()]);
  });
});
