import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { madeConvergence, RUN } from "../../../../../tests/support/made-convergence.ts";
import type { MadeConvergence } from "../../../../../tests/support/made-convergence.ts";
import { commandService } from "../../support/service.ts";

const NOTHING = { code: "nothing-to-do", message: "Everything that is stored is as declared", blocks: false } as const;
const BLOCKED = { code: "fleet-differs", message: "vault-2:12 does not know the declared keys", blocks: true } as const;

const names = ({ asked }: MadeConvergence): readonly string[] =>
  asked.map(({ call }) => call).filter((call) => call !== "status");

/** Changes the run as soon as it has begun, and again a little later. */
async function afterBegin(made: MadeConvergence, ...changes: readonly (() => void)[]): Promise<void> {
  while (!names(made).includes("apply")) await delay(10);
  for (const change of changes) {
    await delay(1100);
    change();
  }
}

const ends = (made: MadeConvergence) => () => {
  const progress = { ...RUN.progress, done: 12_000, calls: RUN.forecast.calls, seconds: 140 };
  made.run({ phase: "end", state: "done", endedAt: "2026-03-04T06:00:00.000Z", undoable: false, progress });
};

describe("strongroom keys plan", () => {
  it("shows what comes, goes and stays, and what it takes", async (t) => {
    const { run } = await commandService(t, madeConvergence().front);
    const { code, stdout, stderr } = await run("keys plan");
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Keys of people, 2 wraps each\n {2}~ key set 0f0f0f0f… is in force, 1e1e1e1e… is put in force/,
    );
    assert.match(
      stdout,
      /~ 12,000 keys: new wraps are added, then old ones go\n {6}\+ eu-west-1 {2}key\/9999bbbb-12ab/,
    );
    assert.match(stdout, /\n {6}- eu-west-2 {2}key\/0000aaaa-12ab-34cd-56ef-1234567890ab\n/);
    assert.match(stdout, /\n {4}3 keys: as declared\n/);
    assert.match(stdout, /~ people: what is not in subject scope is sealed anew \(found while it goes\)/);
    assert.match(stdout, /eu-west-2 +ReEncrypt +12,000\n\n26,400 KMS calls, \$0\.08 at \$0\.03 for 10,000 calls/);
    assert.match(stdout, /About 2 min 12 s at 100 calls a second and region/);
    assert.match(stderr, /strongroom keys apply does this/);
  });

  it("asks for what its options say, and refuses what they do not mean", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    await run("keys plan --verify none --keep-old --quota 10000 --share 0.1 --material current --fresh --no-scopes");
    await run("keys plan --verify .25 --rate 7");
    await run("keys plan --verify all");
    assert.deepEqual(
      made.asked.map(({ given }) => given[0]),
      [
        { verify: 0, keepOld: true, rate: 1000, material: "current", fresh: true, scopes: false },
        { verify: 0.25, rate: 7 },
        { verify: 1 },
      ],
    );
    for (const wrong of [
      "--verify 2",
      "--verify most",
      "--verify 1.5",
      "--rate 0",
      "--rate fast",
      "--share 0.1",
      "--quota 100",
      "--quota 100 --share 0",
      "--quota 100 --share 2",
      "--quota 100 --share 0.1 --rate 3",
      "--material old",
      "--force",
    ])
      assert.equal((await run(`keys plan ${wrong}`)).code, 2, wrong);
    assert.equal(names(made).length, 3);
  });

  it("ends with 1 where there is something to do and that is asked for", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    assert.equal((await run("keys plan --exit-code --json")).code, 1);
    made.plan = { ...made.plan, problems: [NOTHING] };
    const { code, stdout, stderr } = await run("keys plan --exit-code");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /Note: Everything that is stored is as declared\.\n$/);
    assert.doesNotMatch(stdout, /KMS CALLS/);
  });

  it("tells accounts apart where there are several, and shows no control character of a key", async (t) => {
    const made = madeConvergence();
    const [store, ...others] = made.plan.stores;
    const wrap = { provider: "aws-kms", region: "eu-west-1", material: "0123456789abcdef", change: "stays" } as const;
    const of = (account: string, name: string) => `arn:aws:kms:eu-west-1:${account}:key/${name}`;
    const wraps = ["111122223333", "444455556666"].map((account) => ({ ...wrap, key: of(account, "a\u001b[31m") }));
    made.plan = { ...made.plan, stores: [{ ...store!, lines: [{ items: 1, change: "none", wraps }] }, ...others] };
    const { stdout } = await (await commandService(t, made.front)).run("keys plan", { columns: 100 });
    assert.match(stripVTControlCharacters(stdout), /1 key: as declared/);
    assert.match(stdout, /444455556666 key\/a\\u\{1b\}\[31m \(material 01234567…\)/);
  });
});

describe("strongroom keys apply", () => {
  it("shows the plan, begins, follows each step, and sums up", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const goesOn = afterBegin(
      made,
      () => {
        made.run({ phase: "drop", progress: { ...RUN.progress, waits: "load" } });
      },
      ends(made),
    );
    const { code, stdout } = await run("keys apply --yes --rate 50 --force");
    await goesOn;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Z add: 1,200 of 12,000 \(10 %\), 93\/s, about 1 min 56 s left, KMS calls 1,200 of 26,400/);
    assert.match(stdout, /Z drop: .*waits: load\n/);
    assert.match(stdout, /eu-west-1 +ReEncrypt +12,000 +12,000\n/);
    assert.match(
      stdout,
      /Done: 12,000 items in 2 min 20 s \(foreseen 2 min 12 s\), 26,400 KMS calls \(foreseen 26,400\)/,
    );
    assert.deepEqual(made.asked.find(({ call }) => call === "apply")?.given, [{ rate: 50, force: true }]);
  });

  it("prints one event a line as JSON", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const goesOn = afterBegin(made, ends(made));
    const { stdout, stderr } = await run("keys apply --yes --json");
    await goesOn;
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly event: string });
    assert.deepEqual([events.map(({ event }) => event), stderr], [["plan", "status", "status", "end"], ""]);
  });

  it("wants a yes, and begins nothing without", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    assert.match((await run("keys apply")).stderr, /\[not-confirmed\]/);
    assert.match((await run("keys apply", { stdin: "n\n", columns: 80 })).stderr, /Begin this run\? \[y\/N\]/);
    assert.deepEqual(names(made), ["plan", "plan"]);
  });

  it("begins nothing where there is nothing to do, and says what is in the way", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    made.plan = { ...made.plan, problems: [NOTHING] };
    assert.equal((await run("keys apply --yes")).code, 0);
    assert.deepEqual(names(made), ["plan"]);
    made.plan = { ...made.plan, problems: [BLOCKED] };
    const { code, stdout, stderr } = await run("keys apply");
    assert.equal(code, 4);
    assert.match(stdout, /In the way: vault-2:12 does not know the declared keys\./);
    assert.match(stderr, /\[run-refused\]\n {2}vault-2:12 does not know/);
  });

  it("leaves the run going on Ctrl-C, and says how to pause it", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const ctrlC = new AbortController();
    const goesOn = afterBegin(made, () => {
      ctrlC.abort();
    });
    const { code, stderr } = await run("keys apply --yes", { signal: ctrlC.signal });
    await goesOn;
    assert.equal(code, 130);
    assert.match(stderr, /^The run goes on\. .*keys status --watch.*keys pause.*keys cancel/);
    assert.equal(made.status.run?.state, "running");
  });

  it("is over where the run holds, and says how it goes on", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const options = { ...RUN.options, keepOld: true };
    const goesOn = afterBegin(made, () => {
      made.run({ phase: "hold", options });
    });
    const { code, stdout } = await run("keys apply --yes --keep-old");
    await goesOn;
    assert.equal(code, 0);
    assert.match(
      stdout,
      /Holds: .*\nOld wraps are kept\. strongroom keys apply drops them, strongroom keys undo goes back/,
    );
  });

  it("takes an earlier run that a process still tells of for no end", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const goesOn = afterBegin(made, ends(made));
    // The first that is told behind the begin is what was before it.
    made.stale = { ...made.status, run: { ...RUN, state: "done", phase: "end" } };
    const { code, stdout } = await run("keys apply --yes");
    await goesOn;
    assert.equal(code, 0);
    assert.match(stdout, /Done: 12,000 items/);
  });

  it("ends with 1 where somebody else cancelled it, with the reason", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    const goesOn = afterBegin(made, () => {
      made.run({ state: "cancelled", phase: "end", reason: "another key first" });
    });
    const { code, stdout } = await run("keys apply --yes");
    await goesOn;
    assert.equal(code, 1);
    assert.match(stdout, /Cancelled \(another key first\): /);
  });
});

describe("strongroom keys status, pause, resume, cancel, undo", () => {
  it("show where the run is, and what is done with it, with the reason", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    assert.match((await run("keys status")).stdout, /^There was no run yet\./);
    assert.equal((await run("keys apply --yes --detach")).code, 0);
    const paused = await run("keys pause");
    assert.match(paused.stdout, /^RUN +[0-9a-f-]{36} paused\nBEGUN .*\nREASON +by hand\nPHASE +add: items get/);
    assert.match(paused.stderr, /keys resume/);
    assert.match((await run("keys resume")).stdout, /running\n/);
    assert.equal((await run("keys cancel")).code, 2);
    assert.equal((await run("keys undo --reason x")).code, 2);
    assert.match((await run("keys undo --reason x --yes")).stdout, /PHASE +undo: back to the keys of before/);
    assert.match((await run("keys cancel --reason y")).stdout, /cancelled\n(?:.*\n)*REASON +y\n/);
    assert.match((await run("keys cancel --reason y")).stderr, /\[run-absent\]/);
    assert.deepEqual(names(made), ["plan", "apply", "pause", "resume", "undo", "cancel", "cancel"]);
  });

  it("names processes that do not know the keys", async (t) => {
    const made = madeConvergence();
    const [member] = made.status.fleet;
    made.status = { run: RUN, fleet: [member!, { ...member!, process: "vault-2:12", knowsInForce: false }] };
    const { stdout } = await (await commandService(t, made.front)).run("keys status");
    assert.match(
      stdout,
      /PROCESSES +2 alive, 2 at work\n +vault-2:12 does not know the keys in force, and does not write/,
    );
  });
});

describe("strongroom keys inventory and failures", () => {
  it("list keys and items", async (t) => {
    const made = madeConvergence();
    const { run } = await commandService(t, made.front);
    assert.match(
      (await run("keys inventory")).stdout,
      /keys +eu-west-1 +key\/0000aaaa-12ab-\S+ +12,000 +2025-03-04 +no\n/,
    );
    assert.match((await run("keys inventory", { columns: 80 })).stdout, /key\/0000aaaa… /);
    const failures = await run("keys failures --limit 2");
    assert.match(failures.stdout, /people +ada +2 +wraps-still-missing +3 /);
    assert.match(failures.stdout, /key: subject +5c5f0dbb-\S+ +1 +regions-unavailable +1 /);
    made.failures = { failures: [], next: null };
    assert.equal((await run("keys failures --all")).stdout, "No item fails.\n");
  });
});

describe("what is printed of keys", () => {
  for (const columns of [60, 80, 120])
    it(`fits ${columns} columns`, async (t) => {
      const made = madeConvergence();
      const { run } = await commandService(t, made.front);
      made.run({
        progress: { ...RUN.progress, failed: 3, waits: "eu-west-2 is away, and the calls that it owes wait" },
      });
      for (const line of ["plan", "inventory", "failures", "status"]) {
        const { stdout } = await run(`keys ${line}`, { columns });
        for (const shown of stripVTControlCharacters(stdout).split("\n"))
          assert.ok(stringWidth(shown) <= columns || !/ \S+ \S/.test(shown.trim()), `${line}: ${shown}`);
      }
    });
});
