/**
 * Convergence as a team sees it: `vault.convergence`. What is stored is compared with what is declared (the key sets
 * that the vault was opened with, the scopes of its collections), planned with what it costs, and done by one run at a
 * time, which any number of processes share, and which may be paused, resumed and undone until old wraps are dropped.
 */
import type { VersionPlace } from "../stores/rows.ts";
import type { KeyPlace } from "../stores/key-store.ts";
import type { Scope } from "../stores/subjects.ts";

/** The stores that have wraps: of the keys of people, and of the records. */
export type WrappedStore = "keys" | "records";

/** How a run is to be made; all of it may be left out. */
export interface ConvergeOptions {
  /** Share of the new wraps that are opened by their own key before they count: 0 to 1; 1 when left out. */
  readonly verify?: number;
  /** Stops before old wraps are dropped: until another run drops them, this one can be undone. */
  readonly keepOld?: boolean;
  /** Calls of a KMS a second and region, of all processes together; 100 when left out. */
  readonly rate?: number;
  /** `current`: wraps under older material of a key, after the KMS's own rotation, are replaced too. */
  readonly material?: "any" | "current";
  /** Records are sealed anew in the scope that their collection declares; true when left out. */
  readonly scopes?: boolean;
  /** Every record is sealed anew under a fresh data key. */
  readonly fresh?: boolean;
  /** Puts the declared key set in force although a process that is alive does not know it, and will not write. */
  readonly force?: boolean;
}

/** A wrap of a plan. */
export interface PlanWrap {
  readonly provider: string;
  /** The wrapping key. */
  readonly key: string;
  /** Null: it lives in none. */
  readonly region: string | null;
  /** Null: it is not known. */
  readonly material: string | null;
  readonly change: "stays" | "comes" | "goes";
}

/** Items that lie under the same wraps, and what is to become of them. */
export interface PlanLine {
  readonly items: number;
  readonly wraps: readonly PlanWrap[];
  /**
   * `none`: they are as declared. `add`: they get wraps. `drop`: they lose wraps. `add-and-drop`: first the one, then
   * the other. `seal-anew`: their messages are replaced. `inner`: under another key of the vault, which has its own
   * line. `unknown`: the row of their wraps holds what no vault writes: nothing can be said, and nothing is done.
   */
  readonly change: "none" | "add" | "drop" | "add-and-drop" | "seal-anew" | "inner" | "unknown";
}

/** What is to be done in one store. */
export interface StorePlan {
  readonly store: WrappedStore;
  readonly epoch: number;
  /** Digest of the key set in force; null: none yet. */
  readonly inForce: string | null;
  readonly declared: {
    readonly digest: string;
    /** Null: the keyring was given without names, and nothing can be planned. */
    readonly keys: readonly string[] | null;
    /** Wraps that each item is to have. */
    readonly target: number;
  };
  /** Whether the declared set is put in force first. */
  readonly flips: boolean;
  readonly lines: readonly PlanLine[];
  /** Old messages that are kept for now. */
  readonly kept: number;
}

/** Records of a collection that are not in the scope that it declares. */
export interface ScopePlan {
  readonly collection: string;
  readonly to: Scope;
  /** Versions; null: not counted, they are found while the run goes. */
  readonly items: number | null;
}

/** What it will take, by arithmetic. */
export interface Forecast {
  /** By region and operation, in that order. */
  readonly calls: readonly { readonly region: string; readonly operation: string; readonly calls: number }[];
  /** Of all. */
  readonly total: number;
  /** At `price` dollars for 10,000 calls. */
  readonly dollars: number;
  readonly price: number;
  /** At `rate` calls a second and region. */
  readonly seconds: number;
  readonly rate: number;
  /** Bytes that are written to the stores, about. */
  readonly bytes: number;
  /** Bytes that old messages take while they are kept, about. */
  readonly keptBytes: number;
}

/** Something that is in the way, or to be known before. */
export interface PlanProblem {
  /**
   * `fleet-differs`: a process that is alive does not know the declared set, or declares other scopes.
   * `names-missing`: a keyring without names. `sets-damaged`: items whose wraps nobody can tell. `run-under-way`.
   * `nothing-to-do`.
   */
  readonly code: "fleet-differs" | "names-missing" | "sets-damaged" | "run-under-way" | "nothing-to-do";
  readonly message: string;
  /** Whether `apply` refuses because of it. */
  readonly blocks: boolean;
}

/** What is stored beside what is declared. */
export interface ConvergencePlan {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly stores: readonly StorePlan[];
  readonly scopes: readonly ScopePlan[];
  readonly forecast: Forecast;
  readonly problems: readonly PlanProblem[];
}

/** How many items lie under each key and material. */
export interface InventoryLine {
  readonly store: WrappedStore;
  readonly provider: string;
  readonly key: string;
  readonly region: string | null;
  readonly material: string | null;
  /** Keys of people, or versions of records. */
  readonly items: number;
  /** Since when the oldest of them: ISO 8601, UTC; null: no date is told. */
  readonly oldest: string | null;
  /** Whether the key is in the set that is in force. */
  readonly isInForce: boolean;
}

/** Where a run is. */
export type RunPhase =
  /** The declared sets are put in force. */
  | "flip"
  /** Items get their new wraps, or their new messages. */
  | "add"
  /** All have them; old ones are kept until another run drops them. */
  | "hold"
  /** Old wraps and old messages go. */
  | "drop"
  /** Back to the set before: new wraps go, old messages come back. */
  | "undo"
  | "end";

/** How far a run is. Counts are of all processes together. */
export interface RunProgress {
  /** Items of the present phase when it began; null: they are found while it goes. */
  readonly of: number | null;
  readonly done: number;
  /** Items whose last try failed, and that are tried again. */
  readonly failed: number;
  /** A second, of late. */
  readonly rate: number;
  /** Null: it cannot be told. */
  readonly remainingSeconds: number | null;
  /** By region and operation. */
  readonly calls: readonly { readonly region: string; readonly operation: string; readonly calls: number }[];
  readonly throttled: number;
  readonly bytes: number;
  /** How long it worked, over all phases. */
  readonly seconds: number;
  /** Why it goes slower than it might, or not at all: a region that is away, a throttle, load; null: nothing. */
  readonly waits: string | null;
}

/** A run. */
export interface ConvergenceRun {
  /** A UUID. */
  readonly id: string;
  readonly state: "running" | "paused" | "done" | "cancelled" | "undone";
  readonly phase: RunPhase;
  /** Who began it: a principal. */
  readonly by: string;
  readonly beganAt: string;
  readonly endedAt: string | null;
  /** Why it was paused, cancelled or undone; null: it was not. */
  readonly reason: string | null;
  readonly options: Required<Omit<ConvergeOptions, "force">>;
  readonly forecast: Forecast;
  readonly progress: RunProgress;
  /** Whether `undo` is possible still. */
  readonly undoable: boolean;
}

/** A process that uses the stores, as it last said. */
export interface FleetMember {
  /** What it calls itself. */
  readonly process: string;
  /** ISO 8601, UTC. */
  readonly seenAt: string;
  /** Whether it said so within the last minute. */
  readonly isAlive: boolean;
  /** Whether it knows the set in force of each store, and the declared one of whoever asks. */
  readonly knowsInForce: boolean;
  readonly knowsDeclared: boolean;
  /** Whether it declares each collection in the scope in which whoever asks declares it. */
  readonly declaresScopes: boolean;
  /** Whether it works on a run. */
  readonly works: boolean;
}

export interface ConvergenceStatus {
  /** The present run, or the last one; null: there never was one. */
  readonly run: ConvergenceRun | null;
  readonly fleet: readonly FleetMember[];
}

/** An item that could not be brought to the key set. */
export interface ConvergenceFailure {
  readonly store: WrappedStore;
  readonly place: KeyPlace | VersionPlace;
  readonly code: string;
  readonly attempts: number;
  readonly at: string;
}

export interface FailurePage {
  readonly failures: readonly ConvergenceFailure[];
  readonly next: string | null;
}

/** What is left under one wrapping key: the proof that it is needed no more, or where it is needed. */
export interface KeyProbe {
  readonly key: string;
  /** Whether the set in force of a store names it. */
  readonly inForce: readonly WrappedStore[];
  /** Stores with an item under it. */
  readonly items: readonly WrappedStore[];
  /** Whether old messages that are kept are under it. */
  readonly kept: boolean;
  /** Stores with items whose wraps nobody can tell: then nothing is proved. */
  readonly unknown: readonly WrappedStore[];
  /** Epoch of each store's gate when it was looked at, all writes of before having ended. */
  readonly epochs: Readonly<Partial<Record<WrappedStore, number>>>;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** `vault.convergence`. */
export interface Convergence {
  /** Compares, changes nothing, and opens no message. Costs what there are of wrap sets, and a count of each. */
  plan(options?: ConvergeOptions): Promise<ConvergencePlan>;
  inventory(): Promise<readonly InventoryLine[]>;
  /**
   * Begins a run, or makes the present one, which holds, go on. It is done by all processes whose vault was opened with
   * `repair`.
   *
   * @throws VaultError `run-under-way`, `run-refused` with what blocks the plan; `key-set-unknown`; the store's
   */
  apply(options?: ConvergeOptions): Promise<ConvergenceStatus>;
  status(): Promise<ConvergenceStatus>;
  /** @throws VaultError `run-absent` */
  pause(reason: string): Promise<ConvergenceStatus>;
  resume(): Promise<ConvergenceStatus>;
  /** Ends it where it is: what is done stays, nothing is lost, and another run goes on from there. */
  cancel(reason: string): Promise<ConvergenceStatus>;
  /**
   * Goes back to the key sets of before: they are put in force again, new wraps go, old messages come back.
   *
   * @throws VaultError `run-absent`, `run-not-undoable` when old wraps are gone
   */
  undo(reason: string): Promise<ConvergenceStatus>;
  failures(options?: { readonly cursor?: string; readonly limit?: number }): Promise<FailurePage>;
  /** What is left under a wrapping key, after every write that began before. */
  probe(key: string): Promise<KeyProbe>;
  /** The shredding generation that keys are made in; 0: shared with records, and never shredded. */
  generation(): Promise<number>;
  /**
   * That nothing lies under any wrapping key of a generation that was left, as one look, after every write that began
   * before.
   *
   * @throws VaultError `run-refused` of a vault without a key store, or where others change its sets all the time
   */
  shredProof(): Promise<ShredProof>;
  /**
   * What has become of every wrapping key of the generations up to one: from when on no backup of the key store opens
   * who was erased in it.
   *
   * @param describe asks a key's provider what has become of it
   * @throws VaultError `vault-option-invalid`; `run-refused` of a vault without a key store; what `describe` throws
   */
  shredState(
    generation: number,
    describe: (key: string) => Promise<Pick<AskedWrappingKey, "state" | "deletionAt">>,
  ): Promise<ShredState>;
}

/** What has become of a wrapping key. `gone-attested`: somebody says so, as of imported material or an HSM's. */
export type WrappingKeyFate = "in-use" | "disabled" | "pending-deletion" | "gone-proven" | "gone-attested" | "unknown";

/** A wrapping key that wraps, or has wrapped, keys of the key store. */
export interface AskedWrappingKey {
  readonly key: string;
  readonly region: string | null;
  readonly state: WrappingKeyFate;
  /** When it is gone, or was: ISO 8601, UTC; null: nobody has scheduled that, or it is not told. */
  readonly deletionAt: string | null;
  readonly askedAt: string;
}

/** What destroyed keys make no difference to. */
export type ShredExclusion =
  /** Names of people of `record` scope open, and guessed ids of collections with sealed ids can be confirmed. */
  | "names-key"
  /** Guessed values can be confirmed against hashes that were shown to those who may not see them. */
  | "mask-key"
  /** What entries of the audit tell of somebody: it has a retention of its own. */
  | "audit-parts"
  /** Messages of `record` scope in backups of the record store. */
  | "record-scope"
  /** Tags of searchable fields, where backups of the database itself have them. */
  | "tags"
  | "clear-metadata"
  | "kms-logs"
  | "exports"
  /** Keys in clear that somebody took before: from memory, swap or a core dump. */
  | "unwrapped-copies";

/** See {@link Convergence.shredState}. */
export interface ShredState {
  readonly generation: number;
  /** In force now. */
  readonly present: number;
  readonly keys: readonly AskedWrappingKey[];
  /** When the last of them is gone; null: not all are scheduled, or the generation is not left. */
  readonly holdsFrom: string | null;
  /** Whether all are gone. */
  readonly isOver: boolean;
  /** Null: it is not over. */
  readonly proof: "proven" | "attested" | null;
  readonly not: readonly ShredExclusion[];
}

/** See {@link Convergence.shredProof}. */
export interface ShredProof {
  /** In force. */
  readonly generation: number;
  /** Wrapping keys of generations that were left. */
  readonly keys: readonly string[];
  /** Whether anything lies under them, or under a tenant's key of before. */
  readonly items: boolean;
  /** Whether there is something of which nobody can tell. */
  readonly unknown: boolean;
  readonly epoch: number;
  readonly at: string;
}
