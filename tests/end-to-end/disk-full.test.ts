// A volume that fills up while records are written: the write is refused, and nothing that was acknowledged is lost. On
// a small tmpfs, which only root can mount.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Installation } from "./installation.ts";

const DOCUMENT = { name: "Ada", text: "x".repeat(40_000) };
const LIMIT = 200;

test("a full disk refuses writes, loses nothing acknowledged, and writing goes on when there is room", async (context) => {
  const volume = mkdtempSync(join(tmpdir(), "strongroom-volume-"));
  const kms = mkdtempSync(join(tmpdir(), "strongroom-kms-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", volume], { stdio: "ignore" });
  } catch {
    for (const folder of [volume, kms]) rmSync(folder, { recursive: true });
    context.skip("no tmpfs can be mounted here: it takes root");
    return;
  }
  try {
    const dataDir = join(volume, "data");
    mkdirSync(dataDir, { mode: 0o700 });
    // The KMS lives on another volume, as it should: it refuses every call that it cannot write to its audit.
    symlinkSync(kms, join(dataDir, "kms"));
    await using installation = await Installation.start({ dataDir });
    const ballast = join(volume, "ballast");
    writeFileSync(ballast, Buffer.alloc(6_000_000));

    const acknowledged: string[] = [];
    let refusal: { readonly status: number; readonly code: string } | null = null;
    for (let number = 0; refusal === null && number < LIMIT; number++) {
      const answer = await installation.request("PUT", `/v1/records/people/p${number}`, DOCUMENT);
      const { code } = (await answer.json()) as { code: string };
      if (answer.ok) acknowledged.push(`p${number}`);
      else refusal = { status: answer.status, code };
    }
    assert.deepEqual(refusal, { status: 507, code: "store-full" });
    assert.ok(acknowledged.length > 5);
    await everyoneThere(installation, acknowledged);

    rmSync(ballast);
    // The service looks at the volume five times a second.
    await sleep(250);
    const later = await installation.request("PUT", "/v1/records/people/later", DOCUMENT);
    assert.equal(later.status, 201, await later.text());
    await installation.down();
    await installation.up();
    await everyoneThere(installation, [...acknowledged, "later"]);
    context.diagnostic(
      `${acknowledged.length} records acknowledged before the volume was full, all read back, also after a restart`,
    );
  } finally {
    execFileSync("umount", ["--lazy", volume]);
    for (const folder of [volume, kms]) rmSync(folder, { recursive: true });
  }
});

test("on a full disk that holds the KMS too, reads and removals go on", async (context) => {
  const volume = mkdtempSync(join(tmpdir(), "strongroom-volume-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=700", "tmpfs", volume], { stdio: "ignore" });
  } catch {
    rmSync(volume, { recursive: true });
    context.skip("no tmpfs can be mounted here: it takes root");
    return;
  }
  try {
    const dataDir = join(volume, "data");
    mkdirSync(dataDir, { mode: 0o700 });
    await using installation = await Installation.start({ dataDir });
    const ids = Array.from({ length: 30 }, (_, number) => `p${number}`);
    for (const id of ids)
      assert.equal((await installation.request("PUT", `/v1/records/people/${id}`, DOCUMENT)).status, 201);
    assert.throws(() => {
      writeFileSync(join(volume, "ballast"), Buffer.alloc(160_000_000));
    }, /ENOSPC/);

    // Longer than an answer about the volume is kept.
    await sleep(300);
    for (let round = 0; round < 3; round++) {
      const refused = await installation.request("PUT", "/v1/records/people/more", DOCUMENT);
      assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [507, "store-full"]);
      await everyoneThere(installation, ids);
    }
    assert.equal((await installation.request("GET", "/readyz")).status, 200, "it still reads");
    for (const id of ids.splice(0, 20))
      assert.equal((await installation.request("DELETE", `/v1/records/people/${id}`)).status, 200, id);
    await everyoneThere(installation, ids);

    rmSync(join(volume, "ballast"));
    await sleep(300);
    const later = await installation.request("PUT", "/v1/records/people/later", DOCUMENT);
    assert.equal(later.status, 201, await later.text());
    assert.ok(existsSync(join(dataDir, "records.sqlite.reserve")), "room is kept again");
    assert.ok(existsSync(join(dataDir, "kms", "kms.sqlite.reserve")));
    await installation.down();
    await installation.up();
    await everyoneThere(installation, [...ids, "later"]);
  } finally {
    execFileSync("umount", ["--lazy", volume]);
    rmSync(volume, { recursive: true });
  }
});

/** How often a read is asked for again, every 200 ms. */
const TRIES = 25;

async function everyoneThere(installation: Installation, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    let answer = await installation.request("GET", `/v1/records/people/${id}`);
    // The log gives its room up when it carries entries next, within a second: until then it is told to come again.
    for (let tried = 0; answer.status === 503 && tried < TRIES; tried++) {
      await answer.arrayBuffer();
      await sleep(200);
      answer = await installation.request("GET", `/v1/records/people/${id}`);
    }
    assert.equal(answer.status, 200, id);
    assert.deepEqual(await answer.json(), DOCUMENT);
  }
}
