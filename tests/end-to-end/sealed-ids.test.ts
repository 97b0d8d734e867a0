// E-mail addresses as ids: of a collection whose ids are sealed they are nowhere, in whatever form; of a public one they
// are where the documentation says.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { suite, test } from "node:test";
import { addressForms } from "./address-forms.ts";
import { addressesOf, allOf, nowhere, tracesOf } from "./address-walk.ts";
import { findTraces } from "./traces.ts";

/** Where the addresses of a public collection lie after all that was done with them. Without a file's -wal and -shm. */
const PUBLIC: Readonly<Record<"members" | "ledger", readonly string[]>> = {
  // Its row, and its message's header. The KMS sees opaque ids only.
  members: ["records.sqlite"],
  // The KMS's log too: the context of a data key is the message's.
  ledger: ["kms/kms.sqlite", "records.sqlite"],
};

suite("e-mail addresses as ids and as people's names", () => {
  test("of a sealed collection they are in no file, backup, header, log or KMS audit", async (t) => {
    const { dataDir } = await nowhere(t, {}, []);
    for (const collection of ["members", "ledger"] as const) {
      const found = tracesOf(allOf(addressesOf(collection)), [dataDir]);
      const files = [...found.keys()].map((file) => relative(dataDir, file).replace(/-(wal|shm)$/, ""));
      assert.deepEqual([...new Set(files)].sort(), PUBLIC[collection], collection);
    }
  });
});

test("the search finds an address in each form that it may have", () => {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-test-"));
  const file = join(folder, "leak");
  const { kept } = addressesOf("patients");
  try {
    for (const form of addressForms(kept)) {
      writeFileSync(file, Buffer.concat([Buffer.from("x?"), form, Buffer.from("|")]));
      assert.ok(findTraces([file], addressForms(kept)).length > 0, form.toString("latin1"));
      assert.equal(findTraces([file], addressForms("somebody.else@another-clinic.example")).length, 0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
