// The same on a machine that has more to do than it can: programs that burn every core beside it. Figures are printed;
// IMPORT_PEOPLE and IMPORT_BURNERS make it shorter or harder.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { Installation } from "../end-to-end/installation.ts";
import { importMany } from "../end-to-end/many-people.ts";

const PEOPLE = Number(process.env["IMPORT_PEOPLE"] ?? 20_000);
const BURNERS = Number(process.env["IMPORT_BURNERS"] ?? 2 * availableParallelism());

test(`${PEOPLE} people while the machine is busy: no wrap is owed`, async (context) => {
  await using installation = await Installation.start();
  const burners = Array.from({ length: BURNERS }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  try {
    const { report, owed, seconds } = await importMany(installation, PEOPLE);
    context.diagnostic(
      `${PEOPLE} people in ${seconds.toFixed(0)} s (${Math.round(PEOPLE / seconds)}/s) beside ${BURNERS} burning programs ` +
        `on ${availableParallelism()} cores; missing at first ${JSON.stringify(report.missingWraps)}, owed at the end ${owed}`,
    );
    assert.deepEqual([report.created, report.missingWraps, owed], [PEOPLE, {}, 0]);
  } finally {
    await Promise.all(burners.map(end));
  }
  assert.equal(await installation.down(), 0);
});

async function end(burner: ChildProcess): Promise<void> {
  const ended = once(burner, "exit");
  burner.kill("SIGKILL");
  await ended;
}
