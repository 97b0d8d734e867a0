// A process with a vault and its audit, which writes, reads, or carries entries to the log, until it is killed. It begins
// when it is told to, with a line on its standard input, and writes a line when a call begins and when it has ended.
import { randomUUID } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import type { ActingVault, Vault } from "@strongroom/vault";
import { openAuditedVault } from "./audited-place.ts";
import { PEOPLE } from "./audited-task.ts";
import type { AuditedLine, AuditedTask, CallAnswer, CallKind } from "./audited-task.ts";
import { poolOf } from "./place.ts";

/** Between two calls: the machine is also for whoever carries what they leave. */
const LONGEST_PAUSE_MS = 20;
/** Records of a batch. */
const BATCH = 4;

/** What a call does on behalf of its own principal. */
type Work = (vault: ActingVault, records: readonly string[], token: string) => Promise<CallAnswer>;

const DONE: CallAnswer = { result: "done" };

const WORK: Readonly<Record<CallKind, Work>> = {
  read: async (vault, [id = ""]) => {
    const { version } = await vault.get({ collection: PEOPLE, id });
    return { result: "done", version };
  },
  list: async (vault) => {
    await vault.list(PEOPLE, { limit: 5 });
    return DONE;
  },
  write: async (vault, [id = ""], token) => {
    const { version } = await vault.put({ collection: PEOPLE, id }, { token }, { subject: subjectOf(id) });
    return { result: "done", version };
  },
  remove: async (vault, [id = ""]) => {
    await vault.remove({ collection: PEOPLE, id });
    return DONE;
  },
  batch: async (vault, records, token) => {
    const items = records.map((id) => ({ id, subject: subjectOf(id), document: { token } }));
    for (const result of await vault.putMany(PEOPLE, items, { onExisting: "keep" }))
      if (result.outcome !== "created") return { result: result.outcome };
    return DONE;
  },
  within: (vault, records, token) => within(vault, { records, token, end: "commit" }),
  "rolled-back": (vault, records, token) => within(vault, { records, token, end: "rollback" }),
};

/** A record in a transaction of the caller's own. */
async function within(
  acting: ActingVault,
  { records, token, end }: { readonly records: readonly string[]; readonly token: string; readonly end: string },
): Promise<CallAnswer> {
  const [id = ""] = records;
  const client = await pool().connect();
  try {
    const prepared = await acting.prepare({ collection: PEOPLE, id }, { token }, { subject: subjectOf(id) });
    await client.query("begin");
    const [made] = await acting.withTransaction(client, [prepared]);
    await client.query(end);
    return { result: "done", version: made?.version ?? 0 };
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

/** Whom a record is about: several records of one person. */
const subjectOf = (id: string): string => `person of ${id.slice(0, 4)}`;

const KINDS: Readonly<Record<AuditedTask["role"], readonly CallKind[]>> = {
  writes: ["write", "write", "write", "remove", "batch"],
  reads: ["read", "read", "read", "read", "list"],
  sequences: [],
  all: ["write", "write", "read", "read", "read", "remove", "batch", "list"],
};

async function work(vault: Vault): Promise<never> {
  const within: readonly CallKind[] = task.place.records.kind === "postgres" ? ["within", "rolled-back"] : [];
  const kinds = [...KINDS[task.role], ...(KINDS[task.role].includes("write") ? within : [])];
  for (;;) {
    const kind = kinds[Math.floor(Math.random() * kinds.length)];
    if (kind === undefined) await sleep(60_000);
    else await call(vault, kind);
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
}

async function call(vault: Vault, kind: CallKind): Promise<void> {
  const name = `call:${randomUUID()}`;
  const token = randomUUID();
  const records =
    kind === "batch" ? Array.from({ length: BATCH }, aNewOne) : [kind === "write" ? aRecord() : anOldOne()];
  say({ call: name, kind, records, token });
  try {
    say({ call: name, answer: await WORK[kind](vault.as({ principal: name }), records, token) });
  } catch (error) {
    if (!isVaultError(error)) throw error;
    say({ call: name, answer: { result: error.code } });
    // A store that is away is not asked all the time.
    if (error.code === "audit-unavailable" || error.code === "store-failed") await sleep(20);
  }
}

const anOldOne = (): string => `r${Math.floor(Math.random() * task.records)}`;
const aNewOne = (): string => randomUUID();
const aRecord = (): string => (Math.random() < 0.5 ? anOldOne() : aNewOne());

let own: ReturnType<typeof poolOf> | null = null;
function pool(): ReturnType<typeof poolOf> {
  if (task.place.records.kind !== "postgres") throw new TypeError("there are no transactions of a caller's own");
  return (own ??= poolOf(task.place.records));
}

/** Written at once: what is in the kernel's hands survives the death of the process. */
function say(line: AuditedLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
process.stdout.write("ready\n");
const task = JSON.parse(String((await lines.next()).value)) as AuditedTask;
const log = openSync(task.log, "a", 0o600);
const vault = await openAuditedVault(task.place, task.key, {
  leaseMs: task.leaseMs,
  sequences: task.role === "sequences" || task.role === "all",
  onAlarm: ({ code, message }) => {
    say({ alarm: `${code}: ${message}` });
  },
  onFault: (error) => {
    say({ fault: isVaultError(error) ? `${error.code}: ${error.message}` : String(error) });
  },
}).catch((error: unknown) => {
  say({ alarm: `not opened: ${isVaultError(error) ? `${error.code}: ${error.message}` : String(error)}` });
  throw error;
});
say({ opened: true });
await Promise.all(Array.from({ length: task.atOnce }, () => work(vault)));
