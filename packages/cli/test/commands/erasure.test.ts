// Erasures, holds and certificates through the commands: what is printed and written is what was signed.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Certificate, ErasureResult, Hold } from "@strongroom/client";
import { verifyCertificate } from "@strongroom/vault";
import { auditedVault } from "../../../vault/test/support/audited-vault.ts";
import { type CommandService, commandService } from "../support/service.ts";

/** With a record about each of these. */
async function withPeople(t: TestContext, ...subjects: string[]): Promise<CommandService> {
  const { vault } = await auditedVault(t);
  for (const subject of subjects) await vault.put({ collection: "people", id: subject.slice(0, 3) }, {}, { subject });
  return commandService(t, () => vault);
}

test("a certificate is given as it was signed, by each way, and verifies offline", async (t) => {
  const { folder, run } = await withPeople(t, "ada", "bob");
  const erased = await run("erase ada --reason art-17 --yes --out ada.txt --json");
  assert.equal(erased.code, 0, erased.stderr);
  const { certificate, key, person, salt } = JSON.parse(erased.stdout) as ErasureResult;
  assert.equal(verifyCertificate(certificate ?? "", key).facts.person, person);
  assert.equal(await readFile(join(folder, "ada.txt"), "utf8"), certificate);
  const json = await run(`certificate show ${person} --json`);
  assert.deepEqual(JSON.parse(json.stdout) as Certificate, { certificate, key });
  assert.equal((await run(`certificate show ${person}`)).stdout, certificate);

  await writeFile(join(folder, "name"), "ada\n");
  const verify = `certificate verify ada.txt --key ${key}`;
  const about = await run(`${verify} --name-file name --salt ${salt ?? ""}`);
  assert.match(about.stdout, /^Verified\..*\n[^]*It is about that name\.\n$/);
  for (const half of ["--name-file name", `--salt ${salt ?? ""}`]) {
    const { code, stderr } = await run(`${verify} ${half}`);
    assert.equal(code, 2, half);
    assert.match(stderr, /--name-file FILE and --salt SALT/);
  }

  await writeFile(join(folder, "ada.txt"), (certificate ?? "").replace("art-17", "art-18"));
  const forged = await run(`${verify} --json`);
  assert.equal(forged.code, 5, forged.stdout);
  assert.match(forged.stderr, /"code":"certificate-invalid"/);
});

test("the salt is told although the certificate cannot be written", async (t) => {
  const { run } = await withPeople(t, "ada");
  const { code, stdout, stderr } = await run("erase ada --reason art-17 --yes --out missing/ada.txt --json");
  assert.notEqual(code, 0);
  assert.match(stderr, /output-failed/);
  assert.match((JSON.parse(stdout) as ErasureResult).salt ?? "", /^[A-Za-z0-9_-]{43}$/);
});

test("an opaque id is one where --person says so, and a name that looks like one is a name", async (t) => {
  const looks = "0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d";
  const { run } = await withPeople(t, "ada", looks);
  const held = async (line: string): Promise<Hold> => {
    const { code, stdout, stderr } = await run(`hold set ${line} --reason tax --json`);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Hold;
  };
  const byName = await held("ada");
  const byId = await held(`${byName.person} --person`);
  assert.equal(byId.person, byName.person);
  assert.match((await run("erase ada --reason art-17 --yes")).stderr, /2 holds/);
  for (const { id } of [byName, byId]) assert.equal((await run(`hold lift ${id} --reason settled`)).code, 0);
  // Somebody whom nobody knows is not held by a slip: an opaque id is of somebody.
  assert.match((await run(`hold set ${looks} --person --reason tax`)).stderr, /subject-absent/);
  assert.equal((await run(`hold set ${byName.person} --person --tenant acme --reason tax`)).code, 2);

  const named = await run(`erase ${looks} --reason art-17 --yes --json`);
  assert.equal(named.code, 0, named.stderr);
  assert.notEqual((JSON.parse(named.stdout) as ErasureResult).person, looks);
  const erased = await run(`erase ${byName.person} --person --reason art-17 --yes --json`);
  assert.equal((JSON.parse(erased.stdout) as ErasureResult).person, byName.person, erased.stderr);
});
