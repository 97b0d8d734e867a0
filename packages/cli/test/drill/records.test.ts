import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServiceClient } from "../../src/client/service-client.ts";
import { DrillRecords, removeDrillRecords } from "../../src/drill/records.ts";
import { CliError } from "../../src/errors.ts";

/** Versions of each id, as a service would keep them: the newest last. */
type Kept = Map<string, string[]>;

/** A service that keeps records in memory, and whose answers a test can falsify. */
function memoryService(kept: Kept, falsify: Partial<ServiceClient> = {}): ServiceClient {
  const unused = (): never => assert.fail("not part of this test");
  const fetched = (text: string | undefined, version: number): ReturnType<ServiceClient["get"]> =>
    text === undefined
      ? Promise.reject(new CliError("service-refused", { reportedCode: "record-absent", outcome: "absent" }))
      : Promise.resolve({ version, subject: null, createdAt: null, text });
  return {
    origin: "http://127.0.0.1",
    put: async ({ collection, id, body }) => {
      const versions = [...(kept.get(id) ?? []), String(body)];
      kept.set(id, versions);
      return {
        collection,
        id,
        subject: id,
        version: versions.length,
        createdAt: "",
        outcome: "created",
        wraps: { stored: 3, target: 3, missing: [] },
      };
    },
    get: (_collection, id, version) => {
      const versions = kept.get(id) ?? [];
      return fetched(versions.at(version === undefined ? -1 : version - 1), version ?? versions.length);
    },
    list: async () => ({ items: [...kept.keys()].map((id) => ({ id, version: 1, updatedAt: "" })), next: null }),
    remove: async (_collection, id) => {
      kept.delete(id);
    },
    putMany: unused,
    history: unused,
    collections: unused,
    regions: unused,
    debts: unused,
    ...falsify,
  };
}

function drillRecords(service: ServiceClient): DrillRecords {
  return new DrillRecords({ service, collection: "drill", seed: 5, ids: 4, clock: () => 0 });
}

describe("the records of a drill", () => {
  it("read back equal, every version of them", async () => {
    const records = drillRecords(memoryService(new Map()));
    await records.create();
    for (let write = 0; write < 10; write++) assert.equal((await records.write())?.outcome, "ok");
    for (let read = 0; read < 20; read++) assert.equal((await records.read())?.outcome, "ok");
    assert.equal(records.acknowledged, 14);
    assert.deepEqual(await records.readBack(), { versions: 14, problems: {} });
  });

  it("show a lost update, another record's document and a changed one", async () => {
    const kept: Kept = new Map();
    const records = drillRecords(memoryService(kept));
    await records.create();
    for (let write = 0; write < 4; write++) await records.write();
    const whole = new Map([...kept].map(([id, versions]) => [id, [...versions]]));
    const falsifications: readonly ((versions: string[], id: string) => string)[] = [
      (versions) => versions[0] ?? "",
      (_versions, id) => whole.get(id === "drill-0000" ? "drill-0001" : "drill-0000")?.at(-1) ?? "",
      (versions) => (versions.at(-1) ?? "").replace(/\d\]/, (end) => `${(Number(end[0]) + 1) % 10}]`),
      () => "not JSON",
    ];
    for (const falsify of falsifications) {
      for (const [id, versions] of whole) kept.set(id, [...versions.slice(0, -1), falsify(versions, id)]);
      const call = await records.read();
      assert.deepEqual([call?.outcome, call?.code], ["failed", "not-equal"]);
      assert.deepEqual((await records.readBack()).problems, { "not-equal": 4 });
    }
    kept.delete("drill-0002");
    assert.equal((await records.readBack()).problems["record-absent"], 2);
  });

  it("count a write that too few regions could wrap as refused, any other as failed, and none of them as acknowledged", async () => {
    for (const [code, outcome] of [
      ["wraps-below-minimum", "refused"],
      ["deadline-exceeded", "failed"],
    ] as const) {
      const records = drillRecords(
        memoryService(new Map(), {
          put: () => Promise.reject(new CliError("service-refused", { reportedCode: code })),
        }),
      );
      const call = await records.write();
      assert.deepEqual([call?.outcome, call?.code, records.acknowledged], [outcome, code, 0]);
    }
  });

  it("are not counted where the drill was interrupted", async () => {
    const interrupted = (): Promise<never> => Promise.reject(new CliError("interrupted"));
    const records = drillRecords(memoryService(new Map(), { put: interrupted, get: interrupted }));
    assert.deepEqual([await records.write(), await records.read()], [null, null]);
  });

  it("are written one version at a time, and read instead where all are being written", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
    const service = memoryService(new Map());
    const records = drillRecords(service);
    await records.create();
    const held: string[] = [];
    const store = memoryService(new Map());
    service.put = async (request) => {
      held.push(request.id);
      await answered;
      return store.put(request);
    };
    const writes = Array.from({ length: 4 }, () => records.write());
    assert.equal(new Set(held).size, 4);
    assert.equal((await records.write())?.kind, "read");
    answer(undefined);
    await Promise.all(writes);
  });

  it("are removed, unless somebody else's lie beside them", async () => {
    const kept: Kept = new Map([
      ["drill-0000", ["{}"]],
      ["ada", ["{}"]],
    ]);
    await assert.rejects(removeDrillRecords(memoryService(kept), "people"), { code: "drill-collection-in-use" });
    assert.deepEqual([...kept.keys()], ["drill-0000", "ada"]);
    kept.delete("ada");
    assert.equal(await removeDrillRecords(memoryService(kept), "drill"), 1);
    assert.equal(kept.size, 0);
    const absent = (): Promise<never> =>
      Promise.reject(new CliError("service-refused", { reportedCode: "collection-absent", outcome: "absent" }));
    assert.equal(await removeDrillRecords(memoryService(kept, { list: absent }), "drill"), 0);
  });
});
