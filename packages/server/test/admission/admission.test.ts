/** How much is worked on at once, who waits and who is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { Admission } from "../../src/admission/admission.ts";

const LIMITS = { atOnce: 2, waiting: 3, waitMs: 60_000, perToken: 100 };
const alive = (): AbortSignal => new AbortController().signal;

/** Work that ends when it is told to. */
interface Piece {
  /** `waiting`, `working`, `done`, or the code that it was refused with. */
  readonly state: () => string;
  readonly end: () => Promise<void>;
}

function start(
  admission: Admission,
  { tokenId = "a", size = 1, signal = alive() }: { tokenId?: string; size?: number; signal?: AbortSignal } = {},
): Piece {
  let state = "waiting";
  const { promise, resolve } = Promise.withResolvers<null>();
  void admission
    .run({ tokenId, size, signal }, async () => {
      state = "working";
      await promise;
    })
    .then(
      () => (state = "done"),
      (error: unknown) => (state = (error as { readonly code: string }).code),
    );
  return {
    state: () => state,
    end: async () => {
      resolve(null);
      await turn();
    },
  };
}

const states = (pieces: readonly Piece[]): readonly string[] => pieces.map(({ state }) => state());

test("so many work, so many wait, the others are refused; the oldest goes first", async () => {
  const admission = new Admission(LIMITS);
  const pieces = Array.from({ length: 6 }, () => start(admission));
  await turn();
  assert.deepEqual(states(pieces), ["working", "working", "waiting", "waiting", "waiting", "overloaded"]);
  assert.equal((admission.open("a") as Error & { code: string }).code, "overloaded");
  await pieces[1]!.end();
  assert.deepEqual(states(pieces), ["working", "done", "working", "waiting", "waiting", "overloaded"]);
  assert.deepEqual(
    [admission.figures().inUse, admission.figures().waiting, admission.figures().refused["queue-full"]],
    [2, 2, 2],
  );
  for (const piece of pieces) await piece.end();
  assert.deepEqual([admission.figures().inUse, admission.figures().waiting], [0, 0]);
});

test("tokens take turns: one that sends much does not keep another waiting behind all of it", async () => {
  const admission = new Admission({ ...LIMITS, atOnce: 1, waiting: 10 });
  const busy = Array.from({ length: 5 }, () => start(admission, { tokenId: "busy" }));
  const rare = start(admission, { tokenId: "rare" });
  await busy[0]!.end();
  assert.deepEqual([busy[1]!.state(), rare.state()], ["working", "waiting"]);
  await busy[1]!.end();
  assert.deepEqual([busy[2]!.state(), rare.state()], ["waiting", "working"]);
});

test("a batch counts what it works on, is not overtaken, and takes all there is when it asks for more", async () => {
  const admission = new Admission({ ...LIMITS, atOnce: 4, waiting: 10 });
  const one = start(admission);
  const batch = start(admission, { size: 4 });
  const behind = start(admission);
  await turn();
  assert.deepEqual(states([one, batch, behind]), ["working", "waiting", "waiting"]);
  await one.end();
  assert.deepEqual(states([batch, behind]), ["working", "waiting"]);
  assert.equal(admission.figures().inUse, 4);
  await batch.end();
  await behind.end();
  const all = start(admission, { size: 1000 });
  await turn();
  assert.equal(admission.figures().inUse, 4);
  await all.end();
  const none = start(admission, { size: 0 });
  await turn();
  assert.equal(admission.figures().inUse, 1);
  await none.end();
});

test("a batch that is larger than the queue may wait alone, and no second one beside it", async () => {
  const admission = new Admission({ ...LIMITS, atOnce: 8, waiting: 3 });
  const pieces = Array.from({ length: 3 }, () => start(admission, { size: 8 }));
  await turn();
  assert.deepEqual(states(pieces), ["working", "waiting", "overloaded"]);
});

test("whoever waits too long is refused, also when the timer is late", async () => {
  const admission = new Admission({ ...LIMITS, atOnce: 1, waitMs: 20 });
  const first = start(admission);
  const second = start(admission);
  await sleep(60);
  assert.deepEqual(states([first, second]), ["working", "overloaded"]);
  const third = start(admission);
  // The event loop is busy for longer than a request may wait: its turn comes before its timer.
  for (const until = performance.now() + 60; performance.now() < until;);
  await first.end();
  assert.equal(third.state(), "overloaded");
  assert.equal(admission.figures().refused["waited-too-long"], 2);
  assert.deepEqual([admission.figures().inUse, admission.figures().waiting], [0, 0]);
});

test("a client that gives up leaves the queue, and whoever waited behind it is let in", async () => {
  const admission = new Admission({ ...LIMITS, atOnce: 2, waiting: 10 });
  const working = start(admission);
  const leaving = new AbortController();
  const batch = start(admission, { size: 2, signal: leaving.signal });
  const behind = start(admission);
  await turn();
  assert.deepEqual(states([working, batch, behind]), ["working", "waiting", "waiting"]);
  leaving.abort();
  await turn();
  assert.deepEqual(states([working, batch, behind]), ["working", "aborted", "working"]);
  const gone = start(admission, { size: 2, signal: AbortSignal.abort() });
  await turn();
  assert.equal(gone.state(), "aborted");
  assert.equal(admission.figures().waiting, 0);
});

test("work that fails gives its place back", async () => {
  const admission = new Admission(LIMITS);
  const failing = admission.run({ tokenId: "a", size: 2, signal: alive() }, async () => {
    await turn();
    throw new Error("failed");
  });
  const next = start(admission);
  await assert.rejects(failing, /failed/);
  await turn();
  assert.equal(next.state(), "working");
});

test("a token has so many requests open, until their answers are read", () => {
  const admission = new Admission({ ...LIMITS, perToken: 2 });
  const [first, second] = [admission.open("a"), admission.open("a")];
  const refused = admission.open("a") as Error & { readonly code: string };
  assert.equal(refused.code, "token-limit");
  assert.ok(typeof admission.open("b") === "function");
  if (typeof first === "function") first();
  assert.ok(typeof admission.open("a") === "function");
  if (typeof second === "function") second();
  assert.equal(admission.figures().refused["token-limit"], 1);
});
