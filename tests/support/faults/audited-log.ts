/**
 * The log of an audit as a test reads it beside the vault: each entry once, each stream without a hole, nothing told as
 * wrong; and what processes say that they were answered, found in it.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { AuditLog } from "@strongroom/vault";
import type { AuditedLine, CallAnswer, CallKind } from "./audited-task.ts";

/** Members of an entry's text that tests look at. */
export interface LoggedEntry {
  readonly id: string;
  readonly stream: string;
  readonly number: number;
  readonly action: string;
  readonly result: string;
  readonly principal: string;
  readonly collection?: string;
  readonly export?: string;
  readonly records?: readonly { readonly version: number | null; readonly state?: string }[];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is told in the log when something is wrong. */
const WRONG: ReadonlySet<string> = new Set(["gap", "altered", "accept-restore"]);

/** Each store's own stream. */
const STORE_STREAM = "00000000-0000-4000-8000-000000000000";

/** Every entry of the log, from a position on. */
export async function entriesOf(log: AuditLog, from = 0): Promise<readonly LoggedEntry[]> {
  const all: LoggedEntry[] = [];
  for (let next = from; ;) {
    const rows = await log.entries({ from: next, limit: 1000 });
    if (rows.length === 0) return all;
    for (const { position, text } of rows) {
      assert.equal(position, next++, "positions are contiguous");
      all.push(JSON.parse(Buffer.from(text ?? "").toString()) as LoggedEntry);
    }
  }
}

/** That each entry is there once, and that nothing is missing where something stands behind it. */
export function requireSound(entries: readonly LoggedEntry[]): void {
  assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length, "each entry is there once");
  assert.deepEqual(
    entries.filter(({ action }) => WRONG.has(action)),
    [],
    "nothing is told as wrong",
  );
  const last = new Map<string, number>();
  for (const { stream, number, details, principal } of entries) {
    // The log's own entries stand in no outbox; each store's own stream has the same name in both.
    if (principal === "strongroom:audit") continue;
    const name = stream === STORE_STREAM ? `${stream} ${String(details?.["store"])}` : stream;
    assert.equal(number, (last.get(name) ?? 0) + 1, `stream ${name}`);
    last.set(name, number);
  }
}

/** A call of a process; `answer` is null: it was under way when the process ended. */
export interface Call {
  readonly call: string;
  readonly kind: CallKind;
  readonly records: readonly string[];
  readonly token: string;
  readonly answer: CallAnswer | null;
}

/** What a process has said. */
export interface Said {
  readonly calls: readonly Call[];
  readonly isOpened: boolean;
  readonly alarms: readonly string[];
  readonly faults: readonly string[];
}

export function saidIn(path: string): Said {
  // The last line of a process that was killed may be half of one.
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const calls = new Map<string, Call>();
  const [alarms, faults]: [string[], string[]] = [[], []];
  let isOpened = false;
  for (const line of text.split("\n").slice(0, -1)) {
    const said = JSON.parse(line) as AuditedLine;
    if ("kind" in said) calls.set(said.call, { ...said, token: said.token ?? "", answer: null });
    else if ("alarm" in said) alarms.push(said.alarm);
    else if ("fault" in said) faults.push(said.fault);
    else if ("opened" in said) isOpened = true;
    else calls.set(said.call, { ...calls.get(said.call)!, answer: said.answer });
  }
  return { calls: [...calls.values()], isOpened, alarms, faults };
}

/** What calls came to. */
export interface Answered {
  readonly acknowledged: number;
  readonly unanswered: number;
  /** Of the unanswered, those that are in the log. */
  readonly logged: number;
}

/** Actions in the audit, by kind of a call. */
const ACTIONS: Readonly<Record<CallKind, string>> = {
  read: "read",
  list: "list",
  write: "write",
  remove: "remove",
  batch: "write",
  within: "write",
  "rolled-back": "write",
};

/** That what each call was told is in the log, once, and nothing that was rolled back. */
export function requireAnswersIn(entries: readonly LoggedEntry[], calls: readonly Call[]): Answered {
  const byCall = Map.groupBy(entries, ({ principal }) => principal);
  let [acknowledged, unanswered, logged] = [0, 0, 0];
  for (const { call, kind, records, answer } of calls) {
    const own = (byCall.get(call) ?? []).filter(({ action }) => action === ACTIONS[kind]);
    const done = own.filter(({ result }) => result === "done");
    const label = `${kind} ${call}, which was told ${JSON.stringify(answer)}: ${JSON.stringify(own)}`;
    const most = kind === "rolled-back" ? 0 : kind === "batch" ? records.length : 1;
    assert.ok(done.length === 0 || done.length === most, label);
    if (answer === null) {
      unanswered++;
      if (own.length > 0) logged++;
      continue;
    }
    acknowledged++;
    if (answer.result !== "done") {
      // Whoever was told that he was refused is in it, where anything could be written.
      assert.ok(UNKNOWN.has(answer.result) || own.some(({ result }) => result === answer.result), label);
      assert.ok(UNKNOWN.has(answer.result) || done.length === 0, label);
    } else {
      assert.equal(done.length, most, label);
      if (answer.version !== undefined && kind !== "rolled-back")
        assert.equal(done[0]?.records?.[0]?.version, answer.version, label);
    }
  }
  return { acknowledged, unanswered, logged };
}

/** Nobody can say what became of it, or there was no place to say it. */
const UNKNOWN: ReadonlySet<string> = new Set(["outcome-unknown", "audit-unavailable", "store-failed"]);
