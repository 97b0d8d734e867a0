// A process with several writers on the same records. It reads its task from standard input and writes a line when a
// call begins and a line when it ends, so that of a process that was killed it is known what was under way. It ends when
// its standard input does.
import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError, openVault, type Vault } from "@strongroom/vault";
import type pg from "pg";
import type { Answer } from "./history.ts";
import { keyringOf, keySetOf } from "./keys.ts";
import { openPlace, poolOf } from "./place.ts";
import { COLLECTION, type Line, now, tokenOf, type Way, type WriterTask } from "./task.ts";

async function firstLine(lines: Interface): Promise<unknown[]> {
  return new Promise((resolve) =>
    lines.once("line", (line) => {
      resolve([line]);
    }),
  );
}

const START_MS = 30_000;

/** A store that is down when the process begins is waited for. */
async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const until = performance.now() + START_MS; ;) {
    try {
      return await work();
    } catch (error) {
      const isAway = isVaultError(error) && error.code === "store-failed" && performance.now() < until;
      if (isEnding || !isAway) throw error;
      await sleep(50);
    }
  }
}

async function write(to: Vault): Promise<void> {
  const { way, place } = task;
  if (way === "put") while (!isEnding) await put(to, aRecord(), null);
  else if (way !== undefined && place.kind === "postgres") await writeWithin(to, way, poolOf(place));
  while (!isEnding) {
    const drawn = Math.random();
    const record = aRecord();
    if (drawn < 0.3) await read(to, record);
    else if (drawn < 0.4) await batch(to);
    else if (drawn < 0.5) await put(to, record, null);
    else {
      const base = await read(to, record);
      if (base !== null) await put(to, record, base);
    }
  }
}

const aRecord = (): string => `r${Math.floor(Math.random() * task.records)}`;

const aDocument = (token: string): { readonly token: string; readonly filler: string } => ({
  token,
  filler: randomBytes(Math.floor(Math.random() * 600)).toString("base64"),
});

/** The version that was seen; null: none could be. */
async function read(from: Vault, record: string): Promise<number | null> {
  const answer = await called({ record, token: null, base: null, batch: null }, async () => {
    const { version, document } = await from.get({ collection: COLLECTION, id: record });
    return { kind: "seen", version, token: tokenOf(document) };
  });
  return answer.kind === "seen" ? answer.version : null;
}

async function put(to: Vault, record: string, base: number | null): Promise<void> {
  const token = randomUUID();
  const expect =
    base === null
      ? { kind: "any" as const }
      : base === 0
        ? { kind: "absent" as const }
        : { kind: "version" as const, version: base };
  await called({ record, token, base, batch: null }, async () => {
    const { version } = await to.put({ collection: COLLECTION, id: record }, aDocument(token), { expect });
    return { kind: "made", version, token };
  });
}

/** A row of the writer's own table and a record, in one transaction. */
async function writeWithin(to: Vault, isolation: Way, pool: pg.Pool): Promise<void> {
  while (!isEnding) {
    const record = aRecord();
    const token = randomUUID();
    await called({ record, token, base: null, batch: null }, async () => {
      const prepared = await to.prepare({ collection: COLLECTION, id: record }, aDocument(token));
      const client = await pool.connect();
      try {
        await client.query(`begin isolation level ${isolation}`);
        // Its snapshot is from here on, where it has one.
        await client.query("select count(*) from pg_class");
        await sleep(Math.random() * 10);
        const [made] = await to.withTransaction(client, [prepared]);
        await client.query("commit");
        return { kind: "made", version: made!.version, token };
      } catch (error) {
        await client.query("rollback");
        if (isVaultError(error)) throw error;
        // A serialization failure is the caller's affair: he does it again.
        return { kind: "refused", code: String((error as { readonly code?: unknown }).code) };
      } finally {
        client.release();
      }
    });
  }
  await pool.end();
}

/** Several records in one transaction. */
async function batch(to: Vault): Promise<void> {
  const records = [...new Set([aRecord(), aRecord(), aRecord()])];
  const name = randomUUID();
  const items = records.map((id) => ({ id, document: aDocument(randomUUID()) }));
  const begun = items.map(({ id, document }) => begin({ record: id, token: document.token, base: null, batch: name }));
  try {
    const results = await to.putMany(COLLECTION, items, { onExisting: "replace" });
    results.forEach((result, index) => {
      end(
        begun[index]!,
        result.outcome === "created" || result.outcome === "replaced"
          ? { kind: "made", version: result.version, token: items[index]!.document.token }
          : { kind: "refused", code: result.outcome === "refused" ? result.code : result.outcome },
      );
    });
  } catch (error) {
    const answer = await failed(error);
    for (const call of begun) end(call, answer);
  }
}

async function called(
  call: Omit<Extract<Line, { readonly record: string }>, "call" | "at">,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const begun = begin(call);
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    answer = await failed(error);
  }
  end(begun, answer);
  return answer;
}

async function failed(error: unknown): Promise<Answer> {
  if (!isVaultError(error)) throw error;
  const { code, currentVersion } = error;
  if (code === "record-absent") return { kind: "seen", version: 0, token: null };
  if (code === "version-conflict") return { kind: "seen", version: currentVersion ?? 0, token: null };
  // The store is away: no busy loop until it is back.
  await sleep(20);
  return code === "outcome-unknown" ? { kind: "unknown" } : { kind: "refused", code };
}

function begin(call: Omit<Extract<Line, { readonly record: string }>, "call" | "at">): string {
  const name = randomUUID();
  say({ call: name, at: now(), ...call });
  return name;
}

function end(call: string, answer: Answer): void {
  say({ call, at: now(), answer });
}

/** Written at once: what is in the kernel's hands survives the death of the process. */
function say(line: Line): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const input = createInterface({ input: process.stdin });
const [first] = (await firstLine(input)) as [string];
const task = JSON.parse(first) as WriterTask;
let isEnding = false;
input.on("close", () => {
  isEnding = true;
});
const log = openSync(task.log, "a", 0o600);
const [key, next] = task.keys;
const vault = await patiently(async () =>
  openVault({
    store: await openPlace(task.place),
    keyring: keyringOf(key),
    keySet: [key.name],
    ...(next === undefined ? {} : { next: keySetOf(next) }),
  }),
);
process.stdout.write("writing\n");
await Promise.all(Array.from({ length: task.writers }, () => write(vault)));
await vault.close();
closeSync(log);
