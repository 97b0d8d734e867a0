import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, ClientError, type Listing, type Records } from "@strongroom/client";
import { DrillRecords, removeDrillRecords } from "../../src/drill/records.ts";

/** Versions of each id, as a service would keep them: the newest last. */
type Kept = Map<string, string[]>;

/** A service that keeps records in memory, and whose answers a test can falsify. */
function memoryService(kept: Kept, falsify: Partial<Records> = {}): Pick<Client, "records"> {
  const unused = (): never => assert.fail("not part of this test");
  const fetched = async (text: string | undefined, version: number): ReturnType<Records["get"]> => {
    if (text === undefined) throw new ClientError("record-absent");
    if (!text.startsWith("{")) throw new ClientError("unintelligible");
    return { version, subject: "", createdAt: null, text, document: JSON.parse(text) as Record<string, unknown> };
  };
  const records: Records = {
    put: async (collection, id, document) => {
      const versions = [...(kept.get(id) ?? []), JSON.stringify(document)];
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
    get: (_collection, id) => fetched(kept.get(id)?.at(-1), kept.get(id)?.length ?? 0),
    version: (_collection, id, version) => fetched(kept.get(id)?.at(version - 1), version),
    list: () => listed(async () => [...kept.keys()].map((id) => ({ id, version: 1, updatedAt: "" }))),
    remove: async (collection, id) => {
      kept.delete(id);
      return { collection, id, lastVersion: 1, removedAt: "" };
    },
    putMany: unused,
    find: unused,
    count: unused,
    explain: unused,
    history: unused,
    ...falsify,
  };
  return { records };
}

/** A listing that is asked for whole. */
function listed<Item>(all: () => Promise<readonly Item[]>): Listing<Item> {
  const unused = (): never => assert.fail("not part of this test");
  return { all, page: unused, pages: unused, [Symbol.asyncIterator]: unused };
}

function drillRecords(service: Pick<Client, "records">): DrillRecords {
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

  it("are, every other time, about somebody new, whom no other drill wrote about", async () => {
    const kept: Kept = new Map();
    for (let drill = 0; drill < 2; drill++) {
      const records = drillRecords(memoryService(kept));
      await records.create();
      const before = kept.size;
      const calls = [await records.write(), await records.write(), await records.write(), await records.write()];
      assert.deepEqual(
        calls.map((call) => call?.kind === "write" && call.isNew),
        [true, false, true, false],
      );
      assert.equal(kept.size, before + 2);
      assert.equal(records.people, 6);
    }
    assert.equal(await removeDrillRecords(memoryService(kept), "drill"), 8);
  });

  it("of somebody new whose write was refused are not read", async () => {
    const records = drillRecords(memoryService(new Map(), { put: () => Promise.reject(new ClientError("aborted")) }));
    await records.write();
    assert.equal(records.people, 4, "those that are to be made");
  });

  it("show a lost update, another record's document and a changed one", async () => {
    const kept: Kept = new Map();
    const records = drillRecords(memoryService(kept));
    await records.create();
    // A second version of each of the four, and four people more.
    for (let write = 0; write < 8; write++) await records.write();
    const whole = new Map([...kept].map(([id, versions]) => [id, [...versions]]));
    const falsifications: readonly ((versions: string[], id: string) => string)[] = [
      (versions) => versions[0] ?? "",
      (_versions, id) => whole.get(id === "drill-0000" ? "drill-0001" : "drill-0000")?.at(-1) ?? "",
      (versions) => (versions.at(-1) ?? "").replace(/\d\]/, (end) => `${(Number(end[0]) + 1) % 10}]`),
      () => "not JSON",
    ];
    for (const [index, falsify] of falsifications.entries()) {
      for (const [id, versions] of whole) kept.set(id, [...versions.slice(0, -1), falsify(versions, id)]);
      let call = await records.read();
      for (let read = 0; read < 100 && call?.outcome === "ok"; read++) call = await records.read();
      assert.deepEqual([call?.outcome, call?.code], ["failed", "not-equal"]);
      // Of one version, the first is no older one.
      assert.deepEqual((await records.readBack()).problems, { "not-equal": index === 0 ? 4 : 8 });
    }
    kept.delete("drill-0002");
    assert.equal((await records.readBack()).problems["record-absent"], 2);
  });

  it("count a write that too few regions could wrap as refused, any other as failed, and none of them as acknowledged", async () => {
    for (const [code, outcome] of [
      ["wraps-below-minimum", "refused"],
      ["deadline-exceeded", "refused"],
      ["regions-unavailable", "failed"],
      ["store-failed", "failed"],
    ] as const) {
      const records = drillRecords(
        memoryService(new Map(), {
          put: () => Promise.reject(new ClientError(code)),
        }),
      );
      const call = await records.write();
      assert.deepEqual([call?.outcome, call?.code, records.acknowledged], [outcome, code, 0]);
    }
  });

  it("are counted beside where they were stored and nobody was told, and not where nothing was stored", async () => {
    const kept: Kept = new Map();
    const store = memoryService(kept).records;
    let isLost = false;
    const records = drillRecords(
      memoryService(kept, {
        put: async (collection, id, document) => {
          const done = await store.put(collection, id, document);
          if (isLost) throw new ClientError("unreachable");
          return done;
        },
        history: async (_collection, id) =>
          (kept.get(id) ?? []).map(
            (_, index) => ({ version: index + 1 }) as Awaited<ReturnType<Records["history"]>>[0],
          ),
      }),
    );
    await records.create();
    isLost = true;
    // One about somebody new, and one of those that are there.
    for (let write = 0; write < 2; write++) assert.equal((await records.write())?.outcome, "failed");
    isLost = false;
    for (let write = 0; write < 4; write++) assert.equal((await records.write())?.outcome, "ok");
    assert.deepEqual(await records.readBack(), { versions: 8, problems: {} });
    assert.equal(await records.unacknowledged(), 2);
    assert.equal([...kept.values()].flat().length, 10);
  });

  it("are not counted where the drill was interrupted", async () => {
    const interrupted = (): Promise<never> => Promise.reject(new ClientError("aborted"));
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
    service.records.put = async (collection, id, document) => {
      held.push(id);
      await answered;
      return store.records.put(collection, id, document);
    };
    // Four about each of those that are there, and five about somebody new.
    const writes = Array.from({ length: 9 }, () => records.write());
    assert.equal(new Set(held).size, 9);
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
    const absent = async (): Promise<never> => {
      throw new ClientError("collection-absent");
    };
    assert.equal(await removeDrillRecords(memoryService(kept, { list: () => listed(absent) }), "drill"), 0);
  });
});
