import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { KeyCost } from "@strongroom/client";
import { type Bill, monthlyBill } from "../../../src/commands/keys/cost.ts";
import { runCommand } from "../../support/command.ts";
import { answering } from "../../support/hostile-service.ts";
import { temporaryFolder } from "../../support/installation.ts";

/** A tenth of a month: 3 days. */
const COST: KeyCost = {
  from: "2026-03-01T00:00:00.000Z",
  to: "2026-03-04T00:00:00.000Z",
  regions: { records: 3, keys: 3 },
  traffic: { writes: 20_000, reads: 10_000, newOwners: 20_000, newTenants: 1 },
  present: { record: 100, subject: 60_000, tenant: 5 },
  inScope: { record: 70_000, subject: 61_000, tenant: 12 },
  counted: { calls: 61_234, byPurpose: { wrap: 60_000, read: 1234 } },
};

/** One key a region for both: generation 0. */
const SHARED = JSON.stringify({
  keys: {
    regions: ["eu-west-1", "eu-west-2", "eu-central-1"].map((region) => ({
      region,
      keyArn: `arn:aws:kms:${region}:111122223333:key/1`,
    })),
  },
});

const AT_LIST_PRICE = { perRequests: 0.03, perKey: 1 };
const byScope = ({ month }: Bill): Readonly<Record<string, number>> =>
  Object.fromEntries(month.map(({ scopes, calls }) => [scopes, calls]));

async function shown(cost: KeyCost | null, ...flags: readonly string[]) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "shared.json"), SHARED, { mode: 0o600 });
  await using service = await answering((_route, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ cost }));
  });
  const env = { STRONGROOM_TOKEN: "t", STRONGROOM_URL: service.url };
  return await runCommand(["keys", "cost", ...flags], { cwd: folder.path, env });
}

describe("what keys cost", () => {
  it("is what was counted, for thirty days: of all present scopes together, and of each alone", () => {
    const bill = monthlyBill(COST, AT_LIST_PRICE);
    assert.deepEqual(byScope(bill), { present: 601_050, record: 700_000, subject: 610_000, tenant: 120 });
    const [present, record] = bill.month;
    assert.deepEqual([record?.requests, record?.keys, record?.total], [2.1, 6, 8.1]);
    assert.equal(present?.keys, 6, "two keys in each of three regions");
  });

  it("is at other prices and keys what they make it", () => {
    const { month, paidKeys } = monthlyBill(COST, { perRequests: 0.15, perKey: 2, keys: 3 });
    assert.deepEqual([month[1]?.requests, month[1]?.keys, paidKeys], [10.5, 6, 3]);
  });

  it("is no number without end in the first moment", () => {
    const { month } = monthlyBill({ ...COST, to: COST.from }, AT_LIST_PRICE);
    assert.ok(month.every(({ total }) => Number.isFinite(total)));
  });

  it("is shown as a table, with what it was counted from", async () => {
    const { code, stdout } = await shown(COST);
    assert.equal(code, 0);
    assert.match(stdout, /SCOPE +KMS CALLS A MONTH +REQUESTS +6 KEYS +A MONTH/);
    assert.match(stdout, /as it is +601,050 +\$1\.80 +\$6\.00 +\$7\.80/);
    assert.match(stdout, /all tenant +120 +\$0\.00 +\$6\.00 +\$6\.00/);
    assert.match(stdout, /Counted in 3 days: 20,000 versions written, 10,000 read, 20,000 people new/);
    assert.match(stdout, /61,234 \(wrap 60,000, read 1,234\)/);
    assert.doesNotMatch(stdout, /look again after a day/);
  });

  it("says when the time is too short to tell, and takes prices", async () => {
    const { stdout } = await shown({ ...COST, to: "2026-03-01T00:30:00.000Z" }, "--price-requests", "0", "--keys", "1");
    assert.match(stdout, /Counted in 30 minutes.*look again after a day/s);
    assert.match(stdout, /all record +[\d,]+ +\$0\.00 +\$1\.00/);
    const wrong = await shown(COST, "--price-key", "one");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--price-key must be an amount/);
  });

  it("is for programs with all its numbers", async () => {
    const { stdout } = await shown(COST, "--json");
    const told = JSON.parse(stdout) as Bill & Pick<KeyCost, "counted">;
    assert.deepEqual(told.counted, COST.counted);
    assert.deepEqual(byScope(told), byScope(monthlyBill(COST, AT_LIST_PRICE)));
    assert.equal(told.seconds, 3 * 24 * 3600);
  });

  it("is of one key a region where the keys of records wrap those of people too", async () => {
    const { stdout } = await shown(COST, "--config", "shared.json");
    assert.match(stdout, /3 KEYS/);
    assert.match((await shown(COST, "--config", "shared.json", "--keys", "4")).stdout, /4 KEYS/);
  });

  it("is nothing of a service of the version before, which does not know the question", async () => {
    await using folder = await temporaryFolder();
    await using service = await answering((_route, response) => {
      response.writeHead(404, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ title: "There is no such route", status: 404, code: "route-absent", remedy: "-" }));
    });
    const env = { STRONGROOM_TOKEN: "t", STRONGROOM_URL: service.url };
    const { code, stderr } = await runCommand(["keys", "cost"], { cwd: folder.path, env });
    assert.notEqual(code, 0);
    assert.match(stderr, /has no key store[^]*of this version/, stderr);
  });

  it("is nothing of a service without a key store", async () => {
    const { code, stderr } = await shown(null);
    assert.equal(code, 1);
    assert.match(stderr, /has no key store/);
  });
});
