import assert from "node:assert/strict";
import { test } from "node:test";
import { auditCheckpoint, verifyAudit } from "@strongroom/kms";
import { startOnce, workedKms } from "../audit/damaged-log.ts";
import { runningKms } from "../running-kms.ts";
import { c2spWitness } from "../../../../tests/support/c2sp-witness.ts";

test("a witness that is a service cosigns the log, and refuses one that was set back or forked", async (t) => {
  const service = await c2spWitness(t);
  const { dataDir, rootKey, picture, work } = await workedKms(t, 3);
  const witness = { kind: "url", url: `${service.url}#${service.vkey}` } as const;
  const { key, origin } = await auditCheckpoint({ dataDir, rootKey });
  await work(1, { witness });
  const unknown = (await verifyAudit({ dataDir, rootKey, witness })).witness;
  assert.ok(
    unknown?.kind === "away" && unknown.reason.includes("does not know the log"),
    "it was not told of the log yet",
  );
  service.logs.push(key);
  await work(2, { witness });
  assert.equal(service.seen.get(origin)?.size, 6);
  const putBack = picture();
  await work(300, { witness });
  assert.equal(service.seen.get(origin)?.size, 306);
  assert.deepEqual((await verifyAudit({ dataDir, rootKey, witness })).witness, { kind: "seen", size: 306 });
  putBack();
  await assert.rejects(startOnce({ dataDir, witness }), { code: "audit-set-back" });
  await assert.rejects(verifyAudit({ dataDir, rootKey, witness }), { code: "audit-set-back" });
  await work(310);
  await assert.rejects(startOnce({ dataDir, witness }), { code: "audit-set-back" }, "a longer fork");
  assert.equal(service.seen.get(origin)?.size, 306, "a fork is not cosigned");
  await startOnce({ dataDir, witness, acceptRestore: "drill" });
  service.logs.push((await auditCheckpoint({ dataDir, rootKey })).key);
  await startOnce({ dataDir, witness });
  assert.equal((await verifyAudit({ dataDir, rootKey, witness })).witness?.kind, "seen");
});

test("an answer that is no cosignature, or none at all, is a witness that is away", async (t) => {
  const service = await c2spWitness(t);
  const { dataDir, rootKey } = await workedKms(t, 2);
  const witness = { kind: "url", url: `${service.url}#${service.vkey}` } as const;
  const answers: Readonly<Record<string, { status: number; body: string }>> = {
    "no cosignature": { status: 200, body: "" },
    "another's cosignature": { status: 200, body: `— witness.example/w1 ${Buffer.alloc(76).toString("base64")}\n` },
    "a page": { status: 200, body: "<html></html>\n" },
    "an endless answer": { status: 200, body: "x".repeat(100_000) },
    "an error": { status: 500, body: "" },
    forbidden: { status: 403, body: "" },
    "a size that is none": { status: 409, body: "many\n" },
    "a redirect": { status: 302, body: "" },
  };
  for (const [what, answer] of Object.entries(answers)) {
    service.answer = () => answer;
    assert.equal((await verifyAudit({ dataDir, rootKey, witness })).witness?.kind, "away", what);
  }
  let size = 0;
  service.answer = () => ({ status: 409, body: `${(size += 1) % 2}\n` });
  assert.equal((await verifyAudit({ dataDir, rootKey, witness })).witness?.kind, "away", "a size that dances");
  service.answer = () => ({ status: 409, body: "3\n" });
  await assert.rejects(verifyAudit({ dataDir, rootKey, witness }), { code: "audit-set-back" });
});

test("addresses that cannot be a witness's are refused", async (t) => {
  const { dataDir } = await workedKms(t, 0);
  for (const url of [
    "ftp://witness.example",
    "http://witness.example",
    "https://user:secret@witness.example",
    "https://witness.example/?a=b",
    "https://witness.example/#not-a-key",
    "nonsense",
  ])
    await assert.rejects(startOnce({ dataDir, witness: { kind: "url", url } }), { code: "option-invalid" }, url);
});

test("health says how the witness is, and that there is none says nothing", async (t) => {
  const service = await c2spWitness(t);
  const { kms, client, dataDir } = await runningKms(t, { witness: { kind: "url", url: service.url } });
  const health = async (): Promise<unknown> =>
    ((await (await fetch(`${Object.values(kms.endpoints)[0]}/healthz`)).json()) as { witness?: string }).witness;
  await client().listKeys({});
  assert.equal(await health(), "away", "it does not know the log");
  service.logs.push((await auditCheckpoint({ dataDir, rootKey: { kind: "file", path: `${dataDir}/root.key` } })).key);
  await kms.close();
  const again = await runningKms(t, { dataDir, witness: { kind: "url", url: service.url } });
  for (let tries = 0; tries < 100; tries++) {
    const state = (
      (await (await fetch(`${Object.values(again.kms.endpoints)[0]}/healthz`)).json()) as { witness?: string }
    ).witness;
    if (state === "current") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("the witness is not told");
});
