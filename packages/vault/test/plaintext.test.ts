/**
 * Where plaintext must not be: in the database's files, and in buffers after their use.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { rejectsWith } from "./support/errors.ts";
import { fileVault, testVault } from "./support/vault.ts";

const address = { collection: "people", id: "42" };
const NAME = "Augusta Ada Lovelace";
const document = { name: NAME, email: "ada@lovelace.example", notes: "x".repeat(20_000) };

test("no file of the database holds a word of a document, in any common encoding", async (t) => {
  const { vault, path } = await fileVault(t);
  for (let round = 0; round < 5; round++) await vault.put(address, { ...document, round });
  await vault.putMany("people", [{ id: "43", document }], { onExisting: "compare" });
  await vault.remove({ collection: "people", id: "43" });
  const files = (await readdir(dirname(path))).map((file) => join(dirname(path), file));
  assert.ok(files.length >= 2);
  for (const word of [NAME, document.email]) {
    const bytes = Buffer.from(word);
    const forms = [
      bytes,
      Buffer.from(word, "utf16le"),
      Buffer.from(bytes.toString("hex")),
      ...[0, 1, 2].map((shift) => base64Inside(bytes, shift)),
    ];
    for (const file of files) {
      const content = await readFile(file);
      for (const form of forms) assert.equal(content.indexOf(form), -1, file);
    }
  }
});

/** The characters that base64 has for these bytes when `shift` other bytes come before them. */
function base64Inside(bytes: Buffer, shift: number): Buffer {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -4));
}

test("the buffers that held a document are wiped after a put, a get, and a put that failed", async (t) => {
  const { vault } = await testVault(t);
  const made: Buffer[] = [];
  for (const name of ["allocUnsafe", "allocUnsafeSlow", "alloc"] as const) {
    const allocate = Buffer[name].bind(Buffer);
    t.mock.method(Buffer, name, (...args: Parameters<typeof Buffer.alloc>) => {
      const buffer = allocate(...args);
      made.push(buffer);
      return buffer;
    });
  }
  await vault.put(address, document);
  await vault.get(address);
  await vault.putMany(
    "people",
    [
      { id: "42", document },
      { id: "43", document },
    ],
    { onExisting: "compare" },
  );
  await rejectsWith("aborted", () => vault.put(address, document, { signal: AbortSignal.abort() }));
  assert.ok(
    made.some(({ length }) => length > 20_000),
    "the test sees the buffers",
  );
  assert.ok(made.every((buffer) => !buffer.includes(NAME)));
});
