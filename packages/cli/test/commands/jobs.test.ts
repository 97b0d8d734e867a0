import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "@strongroom/client";
import { watchedJobs } from "../../src/commands/jobs.ts";
import { runCommand } from "../support/command.ts";
import { answering } from "../support/hostile-service.ts";
import { temporaryFolder } from "../support/installation.ts";

type Partition = Job["partitions"][number];
const AT = "2026-03-04T05:06:07.890Z";

const partition = (name: string, more: Partial<Partition> = {}): Partition => ({
  partition: name,
  state: "due",
  done: 0,
  failed: 0,
  problem: null,
  holder: null,
  takenAt: null,
  savedAt: null,
  ...more,
});

function job(...partitions: readonly Partition[]): Job {
  const count = (state: Partition["state"]): number => partitions.filter((one) => one.state === state).length;
  return {
    job: "repair",
    states: { waiting: count("waiting"), due: count("due"), running: count("running"), finished: count("finished") },
    done: partitions.reduce((sum, { done }) => sum + done, 0),
    failed: partitions.reduce((sum, { failed }) => sum + failed, 0),
    problem: partitions.find(({ problem }) => problem !== null)?.problem ?? null,
    takenAt: null,
    savedAt: null,
    partitions,
  };
}

const RUNNING = partition("03", { state: "running", done: 1234, holder: "host/12/ab", savedAt: AT });
const FAILED = partition("07", { failed: 2, problem: { code: "wraps-still-missing", at: AT } });

async function shown(jobs: readonly Job[], ...flags: readonly string[]): Promise<string> {
  await using folder = await temporaryFolder();
  await using service = await answering((_route, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jobs }));
  });
  const env = { STRONGROOM_TOKEN: "t", STRONGROOM_URL: service.url };
  const { code, stdout, stderr } = await runCommand(["jobs", ...flags], { cwd: folder.path, env });
  assert.equal(code, 0, stderr);
  return stdout;
}

describe("strongroom jobs", () => {
  it("shows each job in a row, and of its partitions those that run or that something is the matter with", async () => {
    const text = await shown([job(partition("00"), partition("01"), RUNNING, FAILED)]);
    assert.match(text, /repair +3 due, 1 running +1,234 +2 /);
    assert.match(text, /repair +03 +running +1,234 +0 +host\/12\/ab +2026/);
    assert.match(text, /repair +07 +due +0 +2 +- +- +wraps-still-missing at 2026/);
    assert.doesNotMatch(text, / 0[01] /);
  });

  it("says that there are none, and gives all of it as JSON", async () => {
    assert.equal(await shown([]), "There are no jobs.\n");
    const jobs = [job(RUNNING)];
    assert.deepEqual(JSON.parse(await shown(jobs, "--json")), { jobs });
  });

  it("watches what changes: each partition that is another than before, and not when it was saved alone", () => {
    const { changes } = watchedJobs(async () => []);
    const before = [job(partition("00"), RUNNING)];
    assert.deepEqual(changes(null, []), ["There are no jobs"]);
    assert.equal(changes(null, before).length, 2);
    assert.deepEqual(changes(before, [job(partition("00"), { ...RUNNING, savedAt: "2026-03-04T05:06:08.000Z" })]), []);
    assert.deepEqual(changes(before, [job(FAILED, RUNNING)]), [
      `repair 07 due, done 0, failed 2, last wraps-still-missing at ${AT}`,
    ]);
    assert.deepEqual(changes(before, [job(partition("00"), { ...RUNNING, done: 1300 })]), [
      "repair 03 running by host/12/ab, done 1,300, failed 0",
    ]);
  });
});
