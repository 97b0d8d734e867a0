/**
 * Three stores in memory, and processes over them that open and close the log's side of the audit and write entries. A
 * process may be killed: from then on none of its calls does anything.
 */
import { hash, randomUUID } from "node:crypto";
import { afterEach } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  memoryAuditLog,
  MemoryAuditStorage,
  memoryKeyStore,
  MemoryKeyStorage,
  memoryStore,
  MemoryStorage,
} from "@strongroom/vault/memory";
import { at, EPOCH, live, remove, removed, write } from "../../../src/store-contract/changes.ts";
import { draftOf, entryOf, unitEntryOf } from "../../../src/audit/draft.ts";
import type { EntryBody } from "../../../src/audit/entry-text.ts";
import type { EntryRecord } from "../../../src/audit/entry.ts";
import { forgetOlder } from "../../../src/audit/forgetting.ts";
import type { ForgettingParts } from "../../../src/audit/forgetting.ts";
import { openAudit } from "../../../src/audit/open-audit.ts";
import type { AuditOptions, AuditService } from "../../../src/audit/open-audit.ts";
import type { RaisedAlarm } from "../../../src/audit/alarms.ts";
import type { AuditLog, OutboxName } from "../../../src/stores/audit-log.ts";
import type { KeyStore } from "../../../src/stores/key-store.ts";
import { STORE_STREAM } from "../../../src/stores/outbox.ts";
import type { EntryId, Outbox, StreamId } from "../../../src/stores/outbox.ts";
import type { Head } from "../../../src/stores/rows.ts";
import type { Store } from "../../../src/stores/store.ts";
import type { Unit } from "../../../src/stores/units.ts";
import { testKeys } from "./test-keys.ts";

export type { RaisedAlarm } from "../../../src/audit/alarms.ts";

/** The three stores of one process. */
export interface Stores {
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly log: AuditLog;
}

/** Whatever becomes of a test, nothing goes on in the background behind it. */
const running = new Set<AuditService>();

afterEach(async () => {
  for (const service of running) await service.close();
  running.clear();
});

/** Where the three stores lie. */
export class Rig {
  readonly records = new MemoryStorage();
  readonly keyRows = new MemoryKeyStorage();
  readonly log = new MemoryAuditStorage();
  readonly keys = testKeys();
  #now = Date.UTC(2026, 0, 1);

  readonly clock = (): Date => new Date(this.#now);

  pass(ms: number): void {
    this.#now += ms;
  }

  stores(): Stores {
    const { clock } = this;
    return {
      store: memoryStore({ storage: this.records, clock }),
      keyStore: memoryKeyStore({ storage: this.keyRows, clock }),
      log: memoryAuditLog({ storage: this.log, clock }),
    };
  }

  /** Opens a process; what was held by another one that was killed is over. */
  async open(options: Partial<AuditOptions> = {}, stores: Stores = this.stores()): Promise<TestProcess> {
    this.pass(10_000);
    const alarms: RaisedAlarm[] = [];
    const faults: unknown[] = [];
    const { store, keyStore, log } = stores;
    const service = await openAudit({
      store,
      keyStore,
      log,
      keys: this.keys,
      clock: this.clock,
      onAlarm: (alarm) => alarms.push(alarm),
      onFault: (error) => faults.push(error),
      // Time passes in steps, and nobody waits.
      sleep: async (ms, signal) => {
        for (let step = 0; step < 4 && !signal.aborted; step++) await setImmediate();
        this.pass(ms / 10);
      },
      ...options,
    });
    running.add(service);
    return new TestProcess(this, stores, service, { alarms, faults });
  }
}

/** A stream of a process, and how far it is. */
export interface Lane {
  readonly outbox: OutboxName;
  readonly stream: StreamId;
  next: number;
}

/** A record as its writer left it. */
export interface Written {
  readonly head: Head | null;
  readonly entry: EntryId | null;
}

/** A process that has the audit open. */
export class TestProcess {
  readonly rig: Rig;
  readonly stores: Stores;
  readonly service: AuditService;
  readonly alarms: readonly RaisedAlarm[];
  readonly faults: readonly unknown[];
  readonly records = new Map<string, Written>();

  constructor(
    rig: Rig,
    stores: Stores,
    service: AuditService,
    { alarms, faults }: { readonly alarms: readonly RaisedAlarm[]; readonly faults: readonly unknown[] },
  ) {
    this.rig = rig;
    this.stores = stores;
    this.service = service;
    this.alarms = alarms;
    this.faults = faults;
  }

  outbox(name: OutboxName): Outbox {
    return name === "records" ? this.stores.store.outbox : this.stores.keyStore.outbox;
  }

  lane(outbox: OutboxName = "records"): Lane {
    return { outbox, stream: randomUUID() as string as StreamId, next: 1 };
  }

  nextId(): EntryId {
    return randomUUID() as string as EntryId;
  }

  /** Tells in both stores that it opens, or closes. */
  async tellStores(action: "open" | "close"): Promise<void> {
    for (const outbox of ["records", "keys"] as const) {
      const [row = null] = await this.outbox(outbox).streams([STORE_STREAM]);
      await this.append(
        { outbox, stream: STORE_STREAM, next: (row?.last ?? 0) + 1 },
        { action, details: { store: outbox } },
      );
    }
  }

  /** Appends an entry to a lane. */
  async append(
    lane: Lane,
    more: Partial<EntryBody> & { readonly ends?: true; readonly id?: EntryId } = {},
  ): Promise<EntryId> {
    const { ends, id = this.nextId(), ...body } = more;
    const whole: EntryBody = {
      at: this.rig.clock().toISOString(),
      action: "read",
      result: "done",
      principal: "local",
      ...body,
    };
    const place = { stream: lane.stream, number: lane.next, ends: ends === true };
    const entry = entryOf(draftOf({ id, body: whole }), place, this.rig.keys);
    const result = await this.outbox(lane.outbox).append([entry], []);
    if (result.kind !== "made") throw new Error(`not appended: ${result.kind}`);
    lane.next++;
    return id;
  }

  /** Writes a version of a person's record, or removes it, with its entry. */
  async write(
    lane: Lane,
    id: string,
    { removes = false, audited = true, message = randomUUID() } = {},
  ): Promise<EntryId> {
    const before = this.records.get(id) ?? (await this.#found(id));
    const version = (before.head?.version ?? 0) + 1;
    const base = before.head;
    const unit: Unit = removes
      ? remove(at(id), base, version - 1)
      : write(at(id), base, version, { at: EPOCH.none, message: Buffer.from(message) });
    const entryId = unit.writeId as string as EntryId;
    if (audited) {
      const tag = this.rig.keys.tag(unit.address);
      const record: EntryRecord = removes
        ? { tag, version: version - 1, state: "removed", previous: before.entry }
        : {
            tag,
            version,
            state: "live",
            scheme: 2,
            sha256: hash("sha256", Buffer.from(message), "base64url"),
            previous: before.entry,
          };
      const body: EntryBody = {
        at: this.rig.clock().toISOString(),
        action: removes ? "remove" : "write",
        result: "done",
        principal: "local",
        collection: unit.address.collection,
        records: [record],
      };
      const draft = draftOf({ id: entryId, body, tag, previous: before.entry });
      const entry = unitEntryOf(draft, { stream: lane.stream, number: lane.next, ends: false }, this.rig.keys);
      await this.#apply({ ...unit, entry });
      lane.next++;
    } else {
      await this.#apply(unit);
    }
    const head = removes ? removed(version - 1) : live(version);
    this.records.set(id, { head, entry: audited ? entryId : null });
    return entryId;
  }

  async #apply(unit: Unit): Promise<void> {
    const [result] = await this.stores.store.records.apply([unit], { atomic: true });
    if (result?.kind !== "made") throw new Error(`not written: ${String(result?.kind)}`);
  }

  async #found(id: string): Promise<Written> {
    const [rows] = await this.stores.store.records.heads([at(id)]);
    return { head: rows?.head ?? null, entry: rows?.entry ?? null };
  }

  /** Carries everything to the log. */
  async sequence(): Promise<void> {
    await this.service.sequence();
  }

  /** Forgets what is older, as the retention does. */
  async forget(lane: Lane, before: Date = this.rig.clock(), more: Partial<ForgettingParts> = {}): Promise<number> {
    const parts: ForgettingParts = {
      log: this.stores.log,
      tell: async (action, result, { details }) => {
        await this.append(lane, { action, result, details });
      },
      sequence: () => this.sequence(),
      alarm: (code, message) => {
        this.service.alarm(code, message);
      },
      ...more,
    };
    return forgetOlder(parts, { before: before.toISOString() });
  }

  /** Ends lanes, as a process does that ends tidily, and closes the audit. */
  async close(...lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) if (lane.next > 1) await this.append(lane, { action: "close", ends: true });
    await this.tellStores("close");
    await this.service.close();
  }
}
