/**
 * The audit of a vault that is open: what all callers share is put together, and its beginning and its end are told in
 * both stores.
 *
 * A store's own stream is written to by all processes: whoever was not next looks again.
 */
import { randomUUID } from "node:crypto";
import { VaultError } from "../errors.ts";
import type { AuditLog, LogState, OutboxName } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import { MAX_APPEND_ENTRIES, STORE_STREAM } from "../stores/outbox.ts";
import type { EntryId, Outbox, OutboxEntry } from "../stores/outbox.ts";
import type { Store } from "../stores/store.ts";
import { ActingAuditor } from "./acting-auditor.ts";
import { parseActor } from "./actor.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { Actor, Auditor } from "./auditor.ts";
import { draftOf, entryOf } from "./draft.ts";
import type { Place } from "./draft.ts";
import type { EntryBody } from "./entry-text.ts";
import { Histories } from "./histories.ts";
import { Lanes } from "./lanes.ts";
import type { UsedStream } from "./lanes.ts";
import { ReaderGroups } from "./reader-groups.ts";
import type { GroupCounts } from "./reader-groups.ts";
import { ReadsTogether } from "./reads-together.ts";
import { wasClosed } from "./told-streams.ts";
import { unavailable } from "./unavailable.ts";

/** What the audit works with. None of it is its own to close. */
export interface AuditorOptions {
  readonly store: Pick<Store, "outbox" | "records">;
  readonly keyStore: Pick<KeyStore, "outbox">;
  readonly log: Pick<AuditLog, "find" | "latest" | "positions" | "state">;
  readonly keys: AuditKeys;
  /** Who does what nobody else is said to do. */
  readonly principal: string;
  /** For what a collection may be used; null: it declares nothing, and none has to be said. */
  readonly purposesOf: (collection: string) => readonly string[] | null;
  readonly clock: () => Date;
  /**
   * Called before anything is given out or written.
   *
   * @throws VaultError `store-rolled-back`: the vault was found set back
   */
  readonly requireWhole: () => void;
  /** Something waits in an outbox: the sequencer may be told. */
  readonly onWritten?: () => void;
  /** A record is not what the log knows of it. */
  readonly onAlarm?: (code: string, message: string) => void;
}

/** The audit, until it is closed. */
export interface OpenedAuditor {
  /** On behalf of the vault itself; of somebody else by {@link Auditor.as}. */
  readonly auditor: Auditor;
  /** Of readers' entries, since it was opened. */
  groups(): GroupCounts;
  /**
   * Waits for what is under way, ends the streams that were used, and says so in both stores. What does not succeed of
   * it is left to the sequencer: nothing is thrown. Nothing is taken on any more.
   */
  close(): Promise<void>;
}

/**
 * Opens the audit, and says so in both stores. The stores were compared with the log before (compare-stores.ts).
 *
 * @throws VaultError `audit-unavailable`, `audit-actor-invalid`
 */
export async function openAuditor(options: AuditorOptions): Promise<OpenedAuditor> {
  const { store, keyStore, log, keys, purposesOf, clock, requireWhole } = options;
  const { onWritten = nothing, onAlarm = nothing } = options;
  const actor = parseActor({ principal: options.principal });
  const ends = [endOf("records", store.outbox, options), endOf("keys", keyStore.outbox, options)] as const;
  const [ofRecords, ofKeys] = ends;
  let isClosed = false;
  const shared = {
    keys,
    histories: new Histories({ store, log, keys, onAlarm }),
    lanes: ofRecords.lanes,
    groups: ofRecords.groups,
    together: new ReadsTogether(),
    keyGroups: ofKeys.groups,
    purposesOf,
    clock,
    requireWhole,
    requireOpen: () => {
      if (isClosed) throw new VaultError("store-closed", "The vault was closed");
      requireWhole();
    },
    onWritten,
  };
  for (const end of ends) await end.open(actor);
  onWritten();
  return {
    auditor: new ActingAuditor(shared, actor),
    groups: () => ofRecords.groups.counts(),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      // One after the other: what becomes of one is nothing to the other.
      for (const end of ends) await end.close(actor).catch(nothing);
    },
  };
}

const nothing = (): void => undefined;

/** Less than the sequencer takes a stream to be left after, since each goes by a clock of its own. */
const CLOSED_AFTER_MS = 43_200_000;

/** Tries of a stream that all processes write to. */
const STORE_STREAM_ATTEMPTS = 64;

const endOf = (name: OutboxName, outbox: Outbox, options: AuditorOptions): StoreEnd =>
  new StoreEnd(name, outbox, options);

/** Lanes that one entry lists: a process has 256 at most, and may have left as many. */
const LANES_AT_ONCE = 500;
/** What one append ends, beside what it tells. */
const MOST_ENDED = MAX_APPEND_ENTRIES / 2;

/** What is told in a store's own stream. */
interface Told {
  readonly action: "open" | "close" | "gap";
  readonly details: NonNullable<EntryBody["details"]>;
}

/** By how the log is, and the streams that end with it. */
type Tell = (state: Pick<LogState, "history" | "size">, ended: readonly UsedStream[]) => readonly Told[];

/** One outbox: what is written to it, and what is told of its beginning and its end. */
class StoreEnd {
  readonly lanes: Lanes;
  readonly groups: ReaderGroups;
  readonly #name: OutboxName;
  readonly #outbox: Outbox;
  readonly #options: AuditorOptions;

  constructor(name: OutboxName, outbox: Outbox, options: AuditorOptions) {
    this.#name = name;
    this.#outbox = outbox;
    this.#options = options;
    const actor = parseActor({ principal: options.principal });
    this.lanes = new Lanes((moved) => void this.#requireThere(moved, actor));
    this.groups = new ReaderGroups(outbox, this.lanes, options.keys);
  }

  /**
   * Of a stream that is not where this process left it: who takes away all of it before the log knows of it leaves no
   * hole there, and only its writer can tell. It is an entry too, so that it outlives the process. Never throws.
   */
  async #requireThere(moved: UsedStream, actor: Actor): Promise<void> {
    try {
      const gap = await this.#goneOf(moved);
      if (gap === null) return;
      await this.#tellStore(() => [gap], actor, []);
      this.#options.onWritten?.();
    } catch {
      // It cannot be asked, or written: whoever writes next is told why.
    }
  }

  /** What is gone of a stream, after an alarm; null: nothing. */
  async #goneOf({ stream, last, idleMs }: UsedStream): Promise<Told | null> {
    // The sequencer closes those that nobody used for long, also while this machine slept.
    if (idleMs >= CLOSED_AFTER_MS) return null;
    const [row = null] = await this.#outbox.streams([stream]);
    const from = (row?.last ?? 0) + 1;
    if (from > last || (await wasClosed(this.#options.log, stream))) return null;
    const numbers = from === last ? `number ${last}` : `numbers ${from} to ${last}`;
    this.#options.onAlarm?.("gap", `${numbers} of stream ${stream} in the ${this.#name} outbox: gone`);
    return { action: "gap", details: { outbox: this.#name, stream, from, to: last } };
  }

  /** @throws VaultError `audit-unavailable` */
  open(actor: Actor): Promise<void> {
    return this.#tellStore(({ history, size }) => [{ action: "open", details: { history, size } }], actor, []);
  }

  /**
   * Entries in the store's own stream, and `used` is ended in the same append; what is gone of it is told.
   *
   * @throws VaultError `audit-unavailable`
   */
  async #tellStore(tell: Tell, actor: Actor, used: readonly UsedStream[]): Promise<void> {
    const { log } = this.#options;
    try {
      const state = await log.state();
      const [row = null] = await this.#outbox.streams([STORE_STREAM]);
      let last = row?.last ?? 0;
      let open = used.slice(0, MOST_ENDED);
      const gone: Told[] = [];
      for (let attempt = 1; attempt <= STORE_STREAM_ATTEMPTS + used.length; attempt++) {
        const own = [...tell(state, open), ...gone].map((told, index) =>
          this.#entry(told, actor, { stream: STORE_STREAM, number: last + 1 + index, ends: false }),
        );
        const ends = open.map(({ stream, last: number }) =>
          this.#entry({ action: "close", details: {} }, actor, { stream, number: number + 1, ends: true }),
        );
        const result = await this.#outbox.append([...own, ...ends], []);
        if (result.kind === "made") return;
        if (result.kind !== "stream-moved") continue;
        if (result.stream === STORE_STREAM) last = result.last;
        const moved = open.find(({ stream }) => stream === result.stream);
        if (moved === undefined) continue;
        open = open.filter((one) => one !== moved);
        const gap = await this.#goneOf(moved);
        if (gap !== null) gone.push(gap);
      }
    } catch (error) {
      throw unavailable("It cannot be told that the audit is opened", error);
    }
    throw unavailable("Too many processes open the audit at the same time");
  }

  /** Once nothing is under way any more: what was used of it is ended. */
  async close(actor: Actor): Promise<void> {
    await this.groups.close();
    await this.lanes.idle();
    const left = this.lanes.takeAbandoned().filter(({ idleMs }) => idleMs < CLOSED_AFTER_MS);
    const tell: Tell = ({ history, size }, used) => {
      const lanes = [...used.filter(({ idleMs }) => idleMs < CLOSED_AFTER_MS), ...left];
      const first = { history, size, ...lanesOf(lanes.slice(0, LANES_AT_ONCE)) };
      const more = lanes.length <= LANES_AT_ONCE ? [] : [lanesOf(lanes.slice(LANES_AT_ONCE))];
      return [first, ...more].map((details) => ({ action: "close", details }));
    };
    await this.#tellStore(tell, actor, this.lanes.takeUsed());
  }

  #entry({ action, details }: Told, { principal }: Actor, place: Place): OutboxEntry {
    const { keys, clock } = this.#options;
    const id = randomUUID() as string as EntryId;
    const whole = { store: this.#name, ...details };
    const body: EntryBody = { at: clock().toISOString(), action, result: "done", principal, details: whole };
    return entryOf(draftOf({ id, body }), place, keys);
  }
}

/** How far the streams were that a process has used: `stream:number`. */
function lanesOf(used: readonly UsedStream[]): Told["details"] {
  return used.length === 0 ? {} : { lanes: used.map(({ stream, last }) => `${stream}:${last}`).join(" ") };
}
