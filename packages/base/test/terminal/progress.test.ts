import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Pace, startProgress } from "../../src/terminal/progress.ts";
import { createTerminal } from "../../src/terminal/terminal.ts";

/** "1 min 5 s" as seconds. */
function seconds(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, min: 60, s: 1 };
  return [...text.matchAll(/(\d+) (h|min|s)/g)].reduce(
    (sum, [, amount, unit = ""]) => sum + Number(amount) * (units[unit] ?? 0),
    0,
  );
}

describe("progress", () => {
  it("shows a remaining time that falls while a job goes on evenly, also between two updates", () => {
    const pace = new Pace(1000, 0);
    assert.equal(pace.at(0).remaining, "…");
    const shown: number[] = [];
    for (let now = 250; now <= 100_000; now += 250) {
      // A batch of 100 records in 10 seconds.
      if (now % 10_000 === 0) pace.update(now / 100, now / 100, now);
      if (now >= 10_000) shown.push(seconds(pace.at(now).remaining));
    }
    assert.equal(shown[0], 90);
    assert.equal(shown.at(-1), 0);
    for (const [index, left] of shown.entries()) assert.ok(left <= (shown[index - 1] ?? left), `at ${index}`);
    assert.ok(new Set(shown).size > 80);
  });

  it("counts records and their rate, goes back at no time and never past the end", () => {
    const pace = new Pace(10, 0);
    pace.update(4, 4, 2000);
    pace.update(2, 4, 3000);
    assert.equal(pace.position, 4);
    pace.update(40, 1234, 4000);
    assert.equal(pace.position, 10);
    assert.deepEqual(pace.at(4000), { records: "1,234", rate: "309", remaining: "0 s" });
    assert.equal(new Pace(null, 0).at(5000).remaining, "…");
  });

  it("draws itself between two updates on a terminal, and nothing elsewhere", async () => {
    const drawn = (isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly text: () => string } => {
      const stream = Object.assign(new PassThrough(), {
        isTTY,
        columns: 120,
        cursorTo: () => true,
        clearLine: () => true,
        moveCursor: () => true,
      });
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString() };
    };
    for (const isTTY of [true, false]) {
      const { stream, text } = drawn(isTTY);
      const terminal = createTerminal({ stdin: new PassThrough(), stdout: stream, stderr: stream }, "human");
      const progress = startProgress(terminal, { label: "job", total: 10 });
      await sleep(10);
      progress.update(1, 1);
      const before = text().length;
      while (isTTY && text().length === before) await sleep(20);
      progress.stop();
      assert.equal(/job.*10%/.test(text()), isTTY);
    }
  });
});
