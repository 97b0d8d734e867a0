// For tests: an import is hit by `kill -9` of the service or of the KMS at a random moment, everything is started
// again, and the same import is run again. Seeded, so that a round that fails can be repeated.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createTerminal } from "@strongroom/base/terminal";
import { type Client, createClient, isClientError } from "@strongroom/client";
import type { CommandContext } from "../../src/command.ts";
import { AS_IT_LOOKS } from "../../src/formats/open.ts";
import { importRecords } from "../../src/transfer/import.ts";
import { generatePeople } from "./people.ts";
import { seededRandom } from "../../src/drill/load.ts";
import { type Installation, startInstallation, temporaryFolder } from "./installation.ts";

const PEOPLE = 120;
const BATCH = 8;

/** What the rounds saw, for the test's report. */
export interface CrashReport {
  readonly rounds: number;
  serviceKills: number;
  kmsKills: number;
  /** Imports that the kill ended; the others ended before it or went on in spite of it. */
  brokenImports: number;
  acknowledged: number;
}

/** Runs the rounds; throws an AssertionError that names the seed and the round. */
export async function crashRounds(rounds: number, seed: number): Promise<CrashReport> {
  const random = seededRandom(seed);
  const report: CrashReport = { rounds, serviceKills: 0, kmsKills: 0, brokenImports: 0, acknowledged: 0 };
  await using folder = await temporaryFolder();
  let installation = await startInstallation(folder.path);
  try {
    for (let round = 1; round <= rounds; round++) {
      const collection = `crowd-${round}`;
      const people = generatePeople(PEOPLE, random);
      await writeFile(
        join(folder.path, `${collection}.ndjson`),
        people.map((person) => `${JSON.stringify(person)}\n`).join(""),
      );
      const acknowledged = new Map<string, number>();
      const target = random() < 0.5 ? "service" : "kms";
      const killAfterBatch = 1 + Math.floor(random() * (PEOPLE / BATCH - 2));
      const killAfterMs = random() * 40;

      const hit = async (): Promise<void> => {
        await sleep(killAfterMs);
        const pid = target === "service" ? installation.ready.pid : await kmsPid(installation);
        if (pid !== null) process.kill(pid, "SIGKILL");
      };
      let strike = hit;
      const broken = await runImport(folder.path, collection, installation, acknowledged, (batches) => {
        if (batches !== killAfterBatch) return;
        const struck = hit();
        strike = () => struck;
      });
      await strike();
      if (target === "service") {
        report.serviceKills++;
        if (installation.process.exitCode === null && installation.process.signalCode === null)
          await once(installation.process, "exit");
        installation = await startInstallation(folder.path);
      } else report.kmsKills++;
      if (broken) report.brokenImports++;
      while (await runImport(folder.path, collection, installation, acknowledged, () => undefined)) await sleep(100);

      await checkRound(await clientOf(installation), collection, people, acknowledged).catch((cause: unknown) => {
        throw new Error(`seed ${seed}, round ${round}, kill of the ${target}`, { cause });
      });
      report.acknowledged += acknowledged.size;
    }
  } finally {
    await installation.stop();
  }
  return report;
}

/** Runs `strongroom import` and notes every acknowledgement. True when it was broken off. */
async function runImport(
  cwd: string,
  collection: string,
  installation: Installation,
  acknowledged: Map<string, number>,
  onBatch: (batches: number) => void,
): Promise<boolean> {
  const client = await clientOf(installation);
  let batches = 0;
  const noting: Client = {
    ...client,
    records: {
      ...client.records,
      putMany: async (name, items, options) => {
        const results = await client.records.putMany(name, items, options);
        for (const { id, version } of results) {
          const before = acknowledged.get(id);
          assert.ok(version !== undefined && (before === undefined || before === version), "a record was stored twice");
          acknowledged.set(id, version);
        }
        onBatch(++batches);
        return results;
      },
    },
  };
  const job = {
    collection,
    source: { ...AS_IT_LOOKS, path: `${collection}.ndjson` },
    unwrap: null,
    ids: { choice: { kind: "field", field: "id" }, keyFile: null, dataDir: cwd },
    idsAre: "public",
    subjectField: null,
    fields: null,
    write: { kind: "put", onExisting: "compare" },
    batch: BATCH,
    retryForMs: 0,
    onBad: "fail",
  } as const;
  try {
    await importRecords(job, noting, context(cwd));
    return false;
  } catch (error) {
    if (isClientError(error) && error.outcome === "unavailable") return true;
    throw error;
  }
}

async function checkRound(
  client: Client,
  collection: string,
  people: readonly { readonly id: string }[],
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  assert.equal(acknowledged.size, people.length);
  const listed = await client.records.list(collection).page({ limit: 1000 });
  assert.deepEqual(
    listed.items.map(({ id, version }) => `${id} ${version}`).sort(),
    people.map(({ id }) => `${id} 1`).sort(),
  );
  for (const person of people) assert.deepEqual((await client.records.get(collection, person.id)).document, person);
}

async function clientOf({ ready }: Installation): Promise<Client> {
  const token = (await readFile(ready.tokenFile, "utf8")).trim();
  return createClient({ url: ready.url, token, timeoutMs: 30_000 });
}

/** The KMS process that runs now, which is not the first any more after it was started again. */
async function kmsPid({ ready }: Installation): Promise<number | null> {
  const children = await readFile(`/proc/${ready.pid}/task/${ready.pid}/children`, "utf8").catch(() => "");
  const [pid] = children.trim().split(" ");
  return pid === undefined || pid === "" ? null : Number(pid);
}

function context(cwd: string): CommandContext {
  const silent = (): NodeJS.WriteStream => new PassThrough().resume() as unknown as NodeJS.WriteStream;
  const terminal = createTerminal({ stdin: Readable.from([]), stdout: silent(), stderr: silent() }, "json");
  return { terminal, env: {}, cwd, signal: new AbortController().signal };
}
