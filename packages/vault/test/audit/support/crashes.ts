/**
 * For tests: a process that ends, or whose stores fail, at one of their calls. Nothing is lost that was committed, nothing
 * is in the log twice, and nobody is told that anything was set back.
 */
import assert from "node:assert/strict";
import { verifyAuditLog } from "../../../src/audit/verify-log.ts";
import type { EntryId } from "../../../src/stores/outbox.ts";
import { FaultyCalls } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { Rig } from "./rig.ts";
import type { Lane, TestProcess } from "./rig.ts";

/** What a process does; each committed entry is noted. */
async function work(one: TestProcess, made: EntryId[]): Promise<void> {
  const lanes = [one.lane(), one.lane(), one.lane("keys")];
  const [first, second, third] = lanes as [Lane, Lane, Lane];
  await one.tellStores("open");
  one.service.start();
  made.push(await one.append(first), await one.write(second, "ada"), await one.append(third));
  await one.sequence();
  made.push(await one.write(first, "ada"), await one.append(first, { ends: true }));
  made.push(await one.write(second, "ada", { removes: true }));
  await one.sequence();
  await one.close(second, third);
}

/** Runs a process whose `at`th call goes wrong, and then one to which nothing happens. */
async function run(at: number, fault: Fault): Promise<boolean> {
  const rig = new Rig();
  const before = await rig.open();
  await before.write(before.lane(), "from before", { audited: false });
  const faulty = new FaultyCalls(at, fault);
  const made: EntryId[] = [];
  let isOver = false;
  let one: TestProcess | null = null;
  try {
    one = await rig.open({}, faulty.stores(rig.stores()));
    await work(one, made);
    isOver = faulty.calls < at;
  } catch {
    // What a store's failure comes to for its caller is not what is looked at here. Of one that is dead nothing is done.
    await one?.service.close();
  }
  if (one !== null) assert.deepEqual(one.alarms, [], `${fault} at ${at}`);
  const next = await rig.open();
  next.service.start();
  await next.tellStores("open");
  made.push(await next.append(next.lane()));
  await next.sequence();
  await next.close();
  assert.deepEqual([next.alarms, next.faults], [[], []], `${fault} at ${at}`);
  await assertWhole(next, made, `${fault} at ${at}`);
  return isOver;
}

async function assertWhole({ stores, service }: TestProcess, made: readonly EntryId[], label: string): Promise<void> {
  const { log, store, keyStore } = stores;
  const { key, size } = await service.status();
  const rows = await log.entries({ from: 0, limit: size });
  const ids = rows.map(({ id }) => id);
  assert.equal(new Set(ids).size, size, label);
  for (const id of made) assert.ok(ids.includes(id), `${label}: entry ${made.indexOf(id)} is not in the log`);
  const { problems } = await verifyAuditLog(log, { key });
  assert.deepEqual(problems, [], label);
  assert.ok(!rows.some(({ found: { action } }) => action === "gap" || action === "altered"), label);
  assert.deepEqual(
    [(await store.outbox.waiting(9)).entries, (await keyStore.outbox.waiting(9)).entries],
    [0, 0],
    label,
  );
}

/** Runs a process again and again, each time with another of its calls going wrong; how many calls it makes. */
export async function failInTurn(
  fault: Fault,
  { from, step }: { readonly from: number; readonly step: number },
): Promise<number> {
  let at = from;
  while (!(await run(at, fault))) at += step;
  return at;
}
