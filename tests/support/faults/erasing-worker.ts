// A process that writes about people and erases them, several at the same time, until it is killed. It begins when it is
// told to, with a line on its standard input, and writes down what it is about to erase and what was answered.
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isVaultError } from "@strongroom/vault";
import type { AuditedPlace } from "./audited-place.ts";
import { openErasing, PEOPLE } from "./erasing-place.ts";
import type { TestKey } from "./keys.ts";

/** What the process is told. */
export interface ErasingTask {
  readonly place: AuditedPlace;
  readonly key: TestKey;
  /** Of the names of its people. */
  readonly prefix: string;
  /** People at the same time. */
  readonly lanes: number;
  /** Where its lines go. */
  readonly log: string;
}

export type ErasingLine =
  | { readonly opened: true }
  /** Its caller's name; its records are `NAME-0` and so on. */
  | { readonly begins: string }
  | { readonly erased: string; readonly person: string }
  /** The id of a record about somebody who is not erased. */
  | { readonly kept: string }
  | { readonly failed: string };

/** Each person's records, the first of them with two versions. */
const RECORDS = 3;

/** Written at once: what is in the kernel's hands survives the death of the process. */
function say(line: ErasingLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse(String((await lines.next()).value)) as ErasingTask;
const log = openSync(task.log, "a", 0o600);
const vault = await openErasing(task.place, task.key);
const { erasure } = vault;
say({ opened: true });

const put = (id: string, subject: string): Promise<unknown> =>
  vault.put({ collection: PEOPLE, id }, { email: `${id}@example.com`, name: subject }, { subject });

async function eraseOne(name: string, lane: number): Promise<void> {
  for (let n = 0; n < RECORDS; n++) await put(`${name}-${n}`, name);
  await put(`${name}-0`, name);
  const kept = `kept-${name}`;
  const beside = put(kept, `kept-${task.prefix}-${lane}`).then(() => {
    say({ kept });
  });
  // Written while they are erased: it is refused, or goes with the rest.
  const late = put(`${name}-late`, name).catch(() => undefined);
  say({ begins: name });
  const { person, state } = await erasure!.erase(name, { reason: "art-17" });
  if (state === "erased") say({ erased: name, person });
  await Promise.all([beside, late]);
}

await Promise.all(
  Array.from({ length: task.lanes }, async (_, lane) => {
    for (let n = 0; ; n++) await eraseOne(`${task.prefix}-${lane}-${n}`, lane);
  }),
).catch((error: unknown) => {
  say({ failed: isVaultError(error) ? `${error.code}: ${error.message}` : String(error) });
  throw error;
});
