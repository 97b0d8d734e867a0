import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { verifyAudit } from "@strongroom/kms";
import { startOnce, workedKms } from "../audit/damaged-log.ts";
import { temporaryDirectory } from "../running-kms.ts";

test("what lies in the witness's place and is no checkpoint is refused, whatever it is", async (t) => {
  const { dataDir, witness, work } = await workedKms(t, 1);
  await work(1, { witness });
  const places: Readonly<Record<string, () => unknown>> = {
    "a folder": () => {
      mkdirSync(witness.path);
    },
    "a pipe": () => execFileSync("mkfifo", [witness.path]),
    "a device": () => {
      symlinkSync("/dev/zero", witness.path);
    },
    "fifty megabytes": () => {
      writeFileSync(witness.path, Buffer.alloc(50_000_000, 65));
    },
    nothing: () => {
      writeFileSync(witness.path, "");
    },
  };
  for (const [what, place] of Object.entries(places)) {
    rmSync(witness.path, { recursive: true, force: true });
    place();
    await assert.rejects(startOnce({ dataDir, witness }), { code: "audit-set-back" }, what);
  }
});

test("a link is followed: the witness is what it leads to, also when that is in the data folder or away", async (t) => {
  const { dataDir, rootKey, work } = await workedKms(t, 1);
  const folder = await temporaryDirectory(t);
  const volume = join(folder, "volume");
  const link = { kind: "file", path: join(folder, "link") } as const;
  mkdirSync(volume);
  symlinkSync(join("volume", "checkpoint"), link.path);
  await work(1, { witness: link });
  assert.equal(readFileSync(join(volume, "checkpoint"), "utf8").split("\n")[1], "2");
  assert.equal(lstatSync(link.path).isSymbolicLink(), true, "the link stays");
  renameSync(volume, `${volume}-away`);
  await work(1, { witness: link });
  assert.equal((await verifyAudit({ dataDir, rootKey, witness: link })).witness?.kind, "away");
  assert.equal(lstatSync(link.path).isSymbolicLink(), true, "the link stays, away or not");
  renameSync(`${volume}-away`, volume);
  assert.deepEqual((await verifyAudit({ dataDir, rootKey, witness: link })).witness, { kind: "seen", size: 2 });

  const intoData = join(folder, "into-data");
  symlinkSync(dataDir, intoData);
  symlinkSync(join(dataDir, "checkpoint"), join(folder, "file-in-data"));
  const inside = [join(intoData, "checkpoint"), join(folder, "file-in-data"), join(dataDir, "checkpoint")];
  for (const path of inside) {
    const started = startOnce({ dataDir, witness: { kind: "file", path } });
    await assert.rejects(started, { code: "option-invalid" }, path);
  }
  const linked = startOnce({ dataDir: intoData, witness: { kind: "file", path: join(dataDir, "checkpoint") } });
  await assert.rejects(linked, { code: "option-invalid" }, "the data folder by its other name");
});
