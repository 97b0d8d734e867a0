/**
 * The examples of the doc comments run as they stand and print what they say. Those of the providers need a KMS and are
 * the README's part.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

const SOURCES = join(import.meta.dirname, "../src");
const REPOSITORY = join(import.meta.dirname, "../../..");
const DOCUMENTED =
  /\/\*\*(?:(?!\*\/)[^])*?@example\n \* ```ts\n((?: \*.*\n)*?) \* ```\n \*\/\nexport (?:async )?(?:function|class) (\w+)/g;

const files = (await readdir(SOURCES, { recursive: true })).filter(
  (name) => name.endsWith(".ts") && !name.startsWith("providers"),
);
const examples = (
  await Promise.all(files.map(async (name) => [...(await readFile(join(SOURCES, name), "utf8")).matchAll(DOCUMENTED)]))
)
  .flat()
  .map(([, comment = "", name = ""]) => ({ name, code: comment.replaceAll(/^ \* ?/gm, "") }));

describe("every example of a doc comment runs and prints what it says", () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "envelope-examples-"));
    await symlink(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("the root's functions have one each", () => {
    const documented = new Set(examples.map(({ name }) => name));
    const wanted = [
      ...["encrypt", "decrypt", "inspect", "encryptStream", "decryptStream", "createEncryptStream"],
      ...["createDecryptStream", "rawAesKeyring", "cachingMaterials", "EnvelopeError", "framingWorkers"],
    ];
    assert.deepEqual(
      wanted.filter((name) => !documented.has(name)),
      [],
    );
  });

  for (const { name, code } of examples) {
    test(name, async () => {
      const file = join(folder, `${name}.ts`);
      await writeFile(file, code);
      const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", file]);
      const promised = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, text = ""]) => text);
      assert.ok(promised.length > 0);
      assert.deepEqual(stdout.trim().split("\n"), promised);
    });
  }
});
