/**
 * The check of what many writers saw: histories that are wrong in one way each are found, and small histories are told
 * right from wrong as a search through all orders tells them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf } from "../support/faults/history.ts";
import type { Answer, Call } from "../support/faults/history.ts";

const made = (version: number, token: string): Answer => ({ kind: "made", version, token });
const seen = (version: number, token: string | null): Answer => ({ kind: "seen", version, token });
const REFUSED: Answer = { kind: "refused", code: "version-conflict" };
const UNKNOWN: Answer = { kind: "unknown" };

/** A call of record `a`. */
const call = (
  token: string | null,
  [began, ended]: readonly [number, number | null],
  answer: Answer,
  more: Partial<Call> = {},
): Call => ({ record: "a", token, base: null, batch: null, began, ended, answer, ...more });

const write = (version: number, at: readonly [number, number], more: Partial<Call> = {}): Call =>
  call(`t${version}`, at, made(version, `t${version}`), more);
const read = (version: number, at: readonly [number, number]): Call =>
  call(null, at, seen(version, version === 0 ? null : `t${version}`));
const stored = (...tokens: readonly string[]): ReadonlyMap<string, readonly string[]> => new Map([["a", tokens]]);

const RIGHT: Readonly<Record<string, Parameters<typeof problemsOf>>> = {
  "nothing happened": [[], new Map()],
  "one after the other": [[read(0, [0, 1]), write(1, [2, 3]), read(1, [4, 5]), write(2, [6, 7])], stored("t1", "t2")],
  "a read beside a write sees what was before it, and another what is after it": [
    [write(1, [0, 1]), write(2, [2, 9]), read(1, [3, 5]), read(2, [4, 6])],
    stored("t1", "t2"),
  ],
  "writers that overlap are made in the order of their numbers": [
    [write(2, [0, 10]), write(1, [0, 10]), write(3, [0, 10])],
    stored("t1", "t2", "t3"),
  ],
  "an unknown write that was not made": [[call("t1", [0, 1], UNKNOWN)], new Map()],
  "an unknown write that was made after its process was killed": [
    [call("t1", [0, null], UNKNOWN), read(0, [50, 60]), read(1, [70, 80])],
    stored("t1"),
  ],
  "a write that was refused and is not there": [[write(1, [0, 1]), call("x", [2, 3], REFUSED)], stored("t1")],
};

const WRONG: Readonly<Record<string, readonly [RegExp, ...Parameters<typeof problemsOf>]>> = {
  "a lost update: acknowledged, and not there": [/acknowledged/, [write(1, [0, 1]), write(2, [2, 3])], stored("t1")],
  "a lost update: another is there in its place": [
    /acknowledged/,
    [write(1, [0, 1]), call("x", [2, 3], made(1, "x"))],
    stored("t1"),
  ],
  "a version that is stored twice": [/stored twice/, [write(1, [0, 1])], stored("t1", "t1")],
  "an unknown write that landed twice": [/stored twice/, [call("t1", [0, null], UNKNOWN)], stored("t1", "t1")],
  "a stale read": [/cannot have been made/, [write(1, [0, 1]), write(2, [2, 3]), read(1, [4, 5])], stored("t1", "t2")],
  "a read of nothing after a write was answered": [/cannot/, [write(1, [0, 1]), read(0, [2, 3])], stored("t1")],
  "two reads one after the other that go back": [
    /cannot/,
    [write(1, [0, 1]), write(2, [2, 90]), read(2, [10, 20]), read(1, [30, 40])],
    stored("t1", "t2"),
  ],
  "a read of what was not begun yet": [/cannot/, [read(1, [0, 1]), write(1, [2, 3])], stored("t1")],
  "writes that are numbered against the order in which they were made": [
    /cannot/,
    [write(2, [0, 1]), write(1, [2, 3])],
    stored("t1", "t2"),
  ],
  "a torn record: what was read is of no version": [
    /was read as/,
    [write(1, [0, 1]), call(null, [2, 3], seen(1, "half of t1"))],
    stored("t1"),
  ],
  "a version that nobody wrote": [/nobody wrote/, [write(1, [0, 1])], stored("t1", "ghost")],
  "a version that was seen and is gone": [/was (?:seen|read)/, [write(1, [0, 1]), read(2, [2, 3])], stored("t1")],
  "a write that was refused and landed": [/refused/, [call("t1", [0, 1], REFUSED)], stored("t1")],
  "a write that met another version and landed all the same": [
    /stored as/,
    [write(1, [0, 1]), call("t2", [2, 3], seen(1, "t1"))],
    stored("t1", "t2"),
  ],
  "a write that was not built on the version that it names": [
    /built on/,
    [write(1, [0, 1]), write(2, [2, 3]), write(3, [4, 5], { base: 1 })],
    stored("t1", "t2", "t3"),
  ],
  "half of a batch": [
    /of batch/,
    [write(1, [0, 1], { batch: "b" }), call("lost", [0, 1], UNKNOWN, { record: "c", batch: "b" })],
    stored("t1"),
  ],
  "a write that is in another record": [/acknowledged|nobody wrote/, [write(1, [0, 1])], new Map([["b", ["t1"]]])],
};

for (const [name, [calls, there]] of Object.entries(RIGHT))
  test(`right: ${name}`, () => {
    assert.deepEqual(problemsOf(calls, there), []);
  });

for (const [name, [says, calls, there]] of Object.entries(WRONG))
  test(`wrong: ${name}`, () => {
    assert.match(problemsOf(calls, there).join("\n"), says);
  });

test("small histories are told right from wrong as a search through all orders tells them", () => {
  const random = numbersFrom(20_260_101);
  const told = { right: 0, wrong: 0 };
  for (let round = 0; round < 6000; round++) {
    const { calls, tokens } = history(random);
    const expected = canHaveHappened(calls, tokens);
    const problems = problemsOf(calls, tokens.length === 0 ? new Map() : stored(...tokens));
    told[expected ? "right" : "wrong"] += 1;
    assert.equal(problems.length === 0, expected, JSON.stringify({ calls, tokens, problems }, null, 1));
  }
  assert.ok(told.right > 500 && told.wrong > 500, JSON.stringify(told));
});

/** Always the same numbers from 0 to 1: a failure can be looked at again. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What can have happened, and in every second history one answer or time that is another one. */
function history(random: () => number): { readonly calls: readonly Call[]; readonly tokens: readonly string[] } {
  const pick = (count: number): number => Math.floor(random() * count);
  const tokens: string[] = [];
  const calls: Call[] = [];
  const count = 2 + pick(5);
  for (let index = 0; index < count; index++) {
    const moment = 10 * index + 100;
    const at = [moment - pick(25), moment + pick(25)] as const;
    const now = (): Answer => seen(tokens.length, tokens.at(-1) ?? null);
    const kind = pick(5);
    if (kind === 0) calls.push(call(null, at, now()));
    else if (kind === 1) calls.push(call(`x${index}`, at, random() < 0.5 ? REFUSED : UNKNOWN));
    else if (kind === 2 && tokens.length > 0) calls.push(call(`x${index}`, at, now(), { base: tokens.length + 1 }));
    else {
      const token = `w${index}`;
      const base = random() < 0.5 ? tokens.length : null;
      tokens.push(token);
      const answer = random() < 0.3 ? UNKNOWN : made(tokens.length, token);
      calls.push(call(token, answer === UNKNOWN && random() < 0.5 ? [at[0], null] : at, answer, { base }));
    }
  }
  if (random() < 0.5) return { calls, tokens };
  const index = pick(calls.length);
  const changed = calls[index]!;
  const shift = pick(60) - 30;
  const wrong: readonly Partial<Call>[] = [
    { began: changed.began + shift, ended: changed.ended === null ? null : changed.ended + shift },
    { answer: changed.token === null ? seen(pick(tokens.length + 1), null) : REFUSED },
    { base: changed.token === null ? null : pick(4) },
  ];
  const other = { ...changed, ...wrong[pick(wrong.length)]! };
  if (other.answer.kind === "seen" && other.answer.version > 0 && other.answer.token === null)
    other.answer = seen(other.answer.version, tokens[other.answer.version - 1] ?? null);
  return { calls: calls.with(index, other), tokens };
}

/** Whether some order of the calls, each within its time, leaves exactly these versions. By trying all of them. */
function canHaveHappened(calls: readonly Call[], tokens: readonly string[]): boolean {
  const isEffect = ({ token, answer }: Call): boolean =>
    answer.kind === "made" || (answer.kind === "unknown" && tokens.includes(token!));
  if (calls.some(({ token, answer }) => answer.kind !== "made" && answer.kind !== "unknown" && tokens.includes(token!)))
    return false;
  const all = calls.filter((one) => isEffect(one) || one.answer.kind === "seen");
  const endOf = ({ answer, ended }: Call): number => (answer.kind === "unknown" ? Infinity : (ended ?? Infinity));
  const search = (left: readonly Call[], version: number): boolean => {
    if (left.length === 0) return version === tokens.length;
    const firstEnd = left.reduce((least, one) => Math.min(least, endOf(one)), Infinity);
    return left.some((one) => {
      // Nothing comes before what had ended when it began.
      if (one.began > firstEnd) return false;
      const rest = left.filter((other) => other !== one);
      const { answer, base, token } = one;
      if (answer.kind === "seen")
        return answer.version === version && answer.token === (tokens[version - 1] ?? null) && search(rest, version);
      if (base !== null && base !== version) return false;
      if (answer.kind === "made" && answer.version !== version + 1) return false;
      return tokens[version] === token && search(rest, version + 1);
    });
  };
  return search(all, 0);
}
