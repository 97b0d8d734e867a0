/**
 * Opens a vault: puts its parts together, and closes them.
 */
import { Turns } from "@strongroom/base/work";
import type { Keyring } from "@strongroom/envelope";
import { ActingRecords } from "./acting-vault.ts";
import type { ActingParts } from "./acting-vault.ts";
import { parseCaller } from "./audit/actor.ts";
import type { Actor } from "./audit/auditor.ts";
import { parseCollections } from "./collections/declaration.ts";
import type { Declarations } from "./collections/declaration.ts";
import { OpenErasures } from "./erasure/open-erasures.ts";
import { VaultError } from "./errors.ts";
import { jobs } from "./jobs.ts";
import type { JobSummary } from "./jobs.ts";
import { parseKeySet, parseNext } from "./keys/key-set.ts";
import type { KeySet } from "./keys/key-set.ts";
import { KeySets } from "./keys/key-sets.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import { learnKeySets } from "./keys/learn-key-sets.ts";
import type { KnownKeySets } from "./keys/learn-key-sets.ts";
import { openSubjectKeys } from "./keys/open-subject-keys.ts";
import { KeyCostMeter } from "./keys/cost.ts";
import type { KeyCost } from "./keys/cost.ts";
import { bindStores, requireNoAudit, requireNoKeyStore } from "./keys/pair.ts";
import type { KeyDependencies } from "./keys/region-wraps.ts";
import type { SubjectKeyCounts, SubjectKeys } from "./keys/subject-keys.ts";
import { parseLimits } from "./limits.ts";
import type { Dependencies } from "./limits.ts";
import { openAudited } from "./open-audited.ts";
import type { OpenAudit, OpenedAudit } from "./open-audited.ts";
import { parseAudit, parseErasure, parseKeys, readOptions } from "./options.ts";
import type { AuditOptions, ErasureOptions, ParsedKeysOptions, VaultOptions } from "./options.ts";
import { collections } from "./records/pages.ts";
import type { CollectionCount } from "./records/pages.ts";
import { RowAddresses } from "./records/row-addresses.ts";
import { DebtLook, DebtView, wrapDebt } from "./convergence/debt.ts";
import type { DebtSeen, WrapDebt } from "./convergence/debt.ts";
import { owedKeys } from "./convergence/add-wraps.ts";
import { OpenConvergence } from "./convergence/open-convergence.ts";
import { owedVersions } from "./convergence/repair-version.ts";
import type { RepairDependencies } from "./convergence/repair-version.ts";
import { RepairCounters } from "./convergence/worker.ts";
import type { RepairStatus } from "./convergence/worker.ts";
import { RetentionWorker } from "./retention/retention.ts";
import type { HeldPeople } from "./retention/sweep.ts";
import { Repairs } from "./convergence/repairs.ts";
import type { RepairOptions } from "./convergence/repairs.ts";
import { IndexBook } from "./search/index-book.ts";
import type { KeyStore } from "./stores/key-store.ts";
import { Access } from "./roles/access.ts";
import type { Roles } from "./roles/access.ts";
import { parseRoles } from "./roles/parse-roles.ts";
import type { Policy } from "./roles/policy.ts";
import type { Store } from "./stores/store.ts";
import type { ActingVault, Vault } from "./vault.ts";
import type { VerifyParts } from "./verify/parts.ts";
import type { VerifyOptions, VerifyReport } from "./verify/report.ts";
import { verify } from "./verify/verify.ts";

/**
 * Opens a vault over a store and a keyring, and over a key store where people are to have keys of their own. Close it,
 * or declare it with `await using`: that also closes the stores. When it throws it has closed neither.
 *
 * @throws VaultError `vault-option-invalid`, `limit-invalid`; `key-store-foreign`, `key-store-lost`,
 *   `key-store-behind` when the two stores do not belong together, or the store has a key store and none is given;
 *   `store-newer`; the stores'
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { sqliteStore } from "@strongroom/vault/sqlite";
 *
 * await using vault = await openVault({
 *   store: await sqliteStore("vault.sqlite"),
 *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
 * });
 * const ada = { collection: "people", id: "C000127" };
 * await vault.put(ada, { name: "Ada Lovelace" }, { subject: "person-8f14e45f" });
 * console.log((await vault.get(ada)).document["name"]); // prints: Ada Lovelace
 * ```
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  return openVaultWith(options, openAudited);
}

/** The same, with another way to open the audit. */
export async function openVaultWith(options: VaultOptions, open: OpenAudit): Promise<Vault> {
  const given = readOptions.vault(options);
  const { store, clock = () => new Date(), repair: repairing } = given;
  const current = parseKeySet(given.keyring, given.keySet);
  const next = given.next === undefined ? null : parseNext(given.next, current);
  const keys = new KeySets(store.gate, current, next);
  const limits = parseLimits(given.limits);
  const people = given.keys === undefined ? null : parseKeys(given.keys);
  const audit = given.audit === undefined ? null : parseAudit(given.audit);
  const erasing = parseErasure(given.erasure);
  const retaining = given.retention === undefined ? null : readOptions.retention(given.retention);
  const declarations = await parseCollections(given.collections, people?.scope ?? "record");
  requireTogether(given, declarations);
  const policy = parseRoles(given.roles);
  const cost = people === null ? null : meterOf(people, { current, keyring: given.keyring, clock });
  const keyParts = people === null ? null : await openKeys(people, { store, keys, current, next, clock, cost });
  if (people === null) await requireNoKeyStore(store);
  if (audit === null) await requireNoAudit([store, ...(people === null ? [] : [people.store])]);
  const subjectKeys = keyParts?.subjectKeys ?? null;
  const rowAddresses = new RowAddresses({ store, subjectKeys, declarations });
  const turns = new Turns();
  const audited =
    audit === null || people === null || subjectKeys === null
      ? null
      : await open({ store, keyStore: people.store, subjectKeys, declarations, clock, audit });
  const auditor = audited?.auditor ?? null;
  const indexes = subjectKeys === null ? null : new IndexBook({ store, keys, subjectKeys, declarations });
  const parts = { store, keys, subjectKeys, declarations, rowAddresses, indexes, cost, clock, limits, turns };
  const looks = [store, ...(people === null ? [] : [people.store])].map(
    ({ inventory }) => new DebtLook(inventory, clock),
  );
  const isKeeping = (): Promise<boolean> => convergence.isKeeping();
  const repairer = { ...parts, audit: auditor?.as({ principal: "strongroom:repair" }) ?? null, isKeeping };
  const convergence = converging(repairer, keyParts, repairing);
  const repair = repairing === undefined ? null : repairs(repairer, keyParts, { looks, options: repairing });
  const dependencies = { ...parts, audit: auditor };
  const keyStore = people?.store ?? null;
  const verified: VerifyParts = {
    records: parts,
    keys: keyStore === null || keyParts === null ? null : { store: keyStore, ...keyParts },
    audit: audit === null || audited === null ? null : { ...audited.verified, log: audit.log },
  };
  const keySets = {
    records: keys,
    keys: keyParts?.dependencies.keySets ?? null,
    areShared: people?.keyring === undefined,
  };
  const debt = new DebtView(looks);
  const erasures =
    audit === null || people === null || audited === null
      ? null
      : erasuresOf(dependencies, audited, {
          ...{ audit, people, erasing, repairing },
          keySets: keyParts?.dependencies.keySets,
        });
  // Without an audit nobody is held.
  const heldPeople: HeldPeople = async (ids) => (await erasures?.heldOf(ids)) ?? new Set();
  const retention = retaining === null ? null : new RetentionWorker({ ...dependencies, heldPeople }, retaining);
  const vault = new RecordVault({
    ...{ dependencies, policy, audited, debt, repair, convergence, erasures, keySets, keyStore, verified },
    ...{ heldPeople, retention, fourEyes: erasing.fourEyes },
  });
  await erasures?.replay().catch(async (error: unknown) => {
    await vault.letGo();
    throw error;
  });
  erasures?.start();
  retention?.start();
  return vault;
}

/** What erasures are opened with besides. */
interface OfErasures {
  readonly audit: AuditOptions;
  readonly people: ParsedKeysOptions;
  readonly erasing: Required<ErasureOptions>;
  readonly repairing: RepairOptions | undefined;
  readonly keySets: KeySets | undefined;
}

function erasuresOf(
  dependencies: Dependencies,
  { auditor, verified }: OpenedAudit,
  { audit, people, erasing, repairing, keySets }: OfErasures,
): OpenErasures | null {
  const { subjectKeys } = dependencies;
  if (subjectKeys === null || keySets === undefined) return null;
  const { cache } = people;
  return new OpenErasures({
    ...{ dependencies, auditor, subjectKeys, log: audit.log, keyStore: people.store, keySets },
    auditKeys: verified.keys,
    sequence: verified.settle,
    settings: {
      isShared: people.keyring === undefined,
      cacheAgeMs: cache.maxAgeMs,
      ...erasing,
    },
    copies: erasing.ledgers,
    wasRestored: audit.acceptRestore !== undefined,
    repair: repairing ?? null,
  });
}

/** That what is of no use alone is not given alone. @throws VaultError `vault-option-invalid` */
function requireTogether(
  { keys, collections: declared, audit, erasure }: VaultOptions,
  declarations: Declarations,
): void {
  const problems: string[] = [];
  if (keys === undefined && declared !== undefined)
    problems.push("collections are declared of a vault with a key store only (keys)");
  if (keys === undefined && audit !== undefined) problems.push("an audit is of a vault with a key store only (keys)");
  if (audit === undefined && declarations.havePurposes)
    problems.push("purposes are declared of a vault with an audit only (audit)");
  if (audit === undefined && erasure?.fourEyes === true)
    problems.push("four eyes are of a vault with an audit only, in which principals are known (audit)");
  if (problems.length > 0) throw new VaultError("vault-option-invalid", problems.join("; "));
}

/** What the keys of people hang on besides their own options. */
interface OfRecords extends Pick<Dependencies, "store" | "keys" | "clock" | "cost"> {
  readonly current: KeySet;
  readonly next: KeySet | null;
}

/** Without a keyring of their own they are wrapped by that of the records, under the same key sets. */
async function openKeys(
  { store, keyring, keySet, next, generation, cache }: ParsedKeysOptions,
  records: OfRecords,
): Promise<KeyParts> {
  const current = keyring === undefined ? records.current : parseKeySet(keyring, keySet, generation);
  const following = next === undefined ? null : parseNext(next, current);
  await records.keys.requireReader();
  const vault = await bindStores(records.store, store);
  const keySets = new KeySets(store.gate, current, keyring === undefined ? records.next : following);
  const dependencies = { store, vault, keySets, clock: records.clock };
  return { dependencies, subjectKeys: openSubjectKeys({ ...dependencies, cache, cost: records.cost }) };
}

function meterOf(
  { cache, keyring: ofKeys }: ParsedKeysOptions,
  { current, keyring, clock }: Pick<OfRecords, "current" | "clock"> & { readonly keyring: Keyring },
): KeyCostMeter {
  const keyrings = ofKeys === undefined ? [keyring] : [keyring, ofKeys];
  return new KeyCostMeter({ cache, regions: current.names?.length ?? 1, keyrings, clock });
}

/** The keys of people, and what they are made of. */
interface KeyParts {
  readonly dependencies: KeyDependencies;
  readonly subjectKeys: SubjectKeys;
}

/** Works on runs where there is a repair. */
function converging(
  dependencies: Dependencies,
  keys: KeyParts | null,
  options: RepairOptions | undefined,
): OpenConvergence {
  const { store, keys: keySets, declarations, clock, limits, audit } = dependencies;
  const signal = options?.signal;
  const ofKeys = keys === null ? null : { ...keys.dependencies, subjectKeys: keys.subjectKeys, audit, signal };
  const ofRecords = { ...dependencies, keyRows: keys?.dependencies.store.keys ?? null, signal };
  return new OpenConvergence({
    ...{ store, keySets, declarations, clock, listItems: limits.listItems },
    keys: keys === null ? null : { store: keys.dependencies.store, keySets: keys.dependencies.keySets },
    working: options === undefined ? null : { stores: { records: ofRecords, keys: ofKeys }, options },
  });
}

function repairs(
  dependencies: Dependencies & Pick<RepairDependencies, "isKeeping">,
  keys: KeyParts | null,
  { looks, options }: { readonly looks: readonly DebtLook[]; readonly options: RepairOptions },
): Repairs {
  const { signal } = options;
  const [ofVersions = new DebtLook(dependencies.store.inventory, dependencies.clock), ofKeys] = looks;
  const stores = {
    versions: { work: owedVersions({ ...dependencies, signal }), look: ofVersions },
    keys:
      keys === null || ofKeys === undefined
        ? null
        : { work: owedKeys({ ...keys.dependencies, audit: dependencies.audit, signal }), look: ofKeys },
  };
  return new Repairs(stores, dependencies.clock, options);
}

/** What a vault is made of, once its parts are open. */
interface VaultParts {
  readonly dependencies: Dependencies;
  readonly policy: Policy;
  readonly audited: OpenedAudit | null;
  readonly debt: DebtView;
  readonly repair: Repairs | null;
  readonly retention: RetentionWorker | null;
  readonly heldPeople: HeldPeople;
  readonly convergence: OpenConvergence;
  /** Null: the vault has no audit. */
  readonly erasures: OpenErasures | null;
  readonly keySets: KnownKeySets;
  readonly keyStore: KeyStore | null;
  readonly verified: VerifyParts;
  readonly fourEyes: boolean;
}

class RecordVault extends ActingRecords implements Vault {
  readonly #dependencies: Dependencies;
  readonly #parts: VaultParts;
  readonly #acting: Omit<ActingParts, "dependencies" | "access">;

  constructor(parts: VaultParts) {
    const { dependencies, policy, audited, repair, convergence } = parts;
    const acting: Omit<ActingParts, "dependencies" | "access"> = {
      onOwed: () => repair?.wake(),
      keyInventory: parts.keyStore?.inventory ?? null,
      convergenceOf: (auditor) => convergence.as(auditor),
      heldPeople: parts.heldPeople,
      fourEyes: parts.fourEyes,
      latency: convergence.latency,
      viewOf: (auditor) => requireAudit(audited).viewOf(auditor),
      erasuresOf: (auditor, view) => requireErasures(parts.erasures).of(auditor, view),
    };
    super({ dependencies, access: new Access({ policy, ...dependencies }, null), ...acting });
    this.#parts = parts;
    this.#acting = acting;
    this.#dependencies = dependencies;
  }

  get policy(): Policy {
    return this.#parts.policy;
  }

  as(actor: Actor, roles?: Roles): ActingVault {
    const { audit, declarations } = this.#dependencies;
    const caller = readOptions.actor(actor);
    const dependencies = { ...this.#dependencies, audit: audit?.as(parseCaller(caller)) ?? null };
    const asked = roles === undefined ? null : { ...readOptions.roles(roles), purpose: caller.purpose };
    const access = new Access({ policy: this.policy, declarations }, asked);
    return new ActingRecords({ dependencies, access, ...this.#acting });
  }

  async collections(): Promise<readonly CollectionCount[]> {
    return collections(this.#dependencies);
  }

  async wrapDebt(): Promise<WrapDebt> {
    return wrapDebt(this.#stores.map(({ inventory }) => inventory));
  }

  debtSeen(): DebtSeen | null {
    return this.#parts.debt.seenOrSoon();
  }

  async jobs(): Promise<readonly JobSummary[]> {
    const { audited } = this.#parts;
    return jobs([...this.#stores.map((store) => store.jobs), ...(audited === null ? [] : [audited.jobs])]);
  }

  async keySet(): Promise<KeySetStatus> {
    return this.#dependencies.keys.status();
  }

  async learnKeySets(next: Parameters<Vault["learnKeySets"]>[0]): Promise<void> {
    const { keySets, convergence } = this.#parts;
    await learnKeySets(keySets, next);
    convergence.learned();
  }

  subjectKeys(): SubjectKeyCounts | null {
    return this.#dependencies.subjectKeys?.counts() ?? null;
  }

  keyCost(): KeyCost | null {
    return this.#dependencies.cost?.report() ?? null;
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verify(this.#parts.verified, options);
  }

  repairStatus(): RepairStatus {
    return this.#parts.repair?.status() ?? new RepairCounters().status("off");
  }

  async ping(): Promise<void> {
    const { keyStore, audited } = this.#parts;
    const pinged = [this.#dependencies.store, keyStore, audited].filter((one) => one !== null);
    // In this order: what is wrong with the records is said before what is wrong with the log.
    for (const one of await Promise.allSettled(pinged.map((part) => part.ping())))
      if (one.status === "rejected") throw one.reason;
  }

  /** Ends what works, and leaves the stores open. */
  async letGo(): Promise<void> {
    const { repair, retention, convergence, erasures, debt, audited } = this.#parts;
    await Promise.all([repair?.stop(), retention?.stop(), convergence.stop(), erasures?.stop()]);
    await debt.ended();
    // Its last entries are sealed under keys, and lie in the stores.
    await audited?.close();
    this.#dependencies.subjectKeys?.close();
  }

  async close(): Promise<void> {
    const { keyStore, audited } = this.#parts;
    await this.letGo();
    // All, whatever becomes of one.
    const stores = [this.#dependencies.store, ...(keyStore === null ? [] : [keyStore])];
    const closed = await Promise.allSettled([...stores.map((store) => store.close()), audited?.closeLog()]);
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #stores(): readonly (Store | KeyStore)[] {
    const { keyStore } = this.#parts;
    return keyStore === null ? [this.#dependencies.store] : [this.#dependencies.store, keyStore];
  }
}

function requireErasures(erasures: OpenErasures | null): OpenErasures {
  if (erasures !== null) return erasures;
  throw new TypeError("a vault without an audit has no erasures");
}

function requireAudit(audited: OpenedAudit | null): OpenedAudit {
  if (audited !== null) return audited;
  throw new TypeError("a vault without an audit has no view of it");
}
