/**
 * Verifies what a vault keeps: opens it all, and holds it against the audit. The keys first, since everything hangs on
 * them, then the people, the records, and what the audit knows and is not there. It changes nothing, but for wraps that
 * it is told to make owed, and may run beside everything else.
 */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { isVaultError, VaultError } from "../errors.ts";
import { mapKeys } from "../keys/many-keys.ts";
import { parseCollection } from "../records/address.ts";
import type { AddressTag } from "../stores/outbox.ts";
import { readCursor, START, writeCursor } from "./cursor.ts";
import type { VerifyCursor } from "./cursor.ts";
import { Findings } from "./findings.ts";
import { listsOfKeys, listsOfPeople, listsOfRecords } from "./lists.ts";
import type { Entry, Lists } from "./lists.ts";
import { verifyMissing } from "./missing-records.ts";
import { Meter, Pace, requireGoingOn } from "./pace.ts";
import type { VerifyParts, VerifyRun } from "./parts.ts";
import { VERIFY_PARTS } from "./report.ts";
import type { VerifyOptions, VerifyPart, VerifyReport } from "./report.ts";
import { Sample } from "./sample.ts";

/** Entries of one batch: several of it at a time, and what is told is told behind each batch. */
const BATCH = 64;
const NAMED = 100;
const MOST_SAMPLED = 1_000_000;

/** `vault.verify`. @throws VaultError */
export async function verify(parts: VerifyParts, options: VerifyOptions): Promise<VerifyReport> {
  const verification = new Verification(parts, options);
  return verification.run();
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #run: VerifyRun;
  readonly #findings: Findings;
  readonly #pace: Pace;
  readonly #from: VerifyCursor;
  readonly #sample: VerifyReport["sample"];

  constructor(parts: VerifyParts, options: VerifyOptions) {
    const { sample, seed = randomBytes(8).toString("hex"), regions = "any", repairWraps = false, signal } = options;
    const { rate, named = NAMED, after, onFinding = nothing } = options;
    requireSound(options);
    this.#options = options;
    this.#findings = new Findings(named, onFinding);
    this.#run = { ...parts, findings: this.#findings, regions, repairWraps, signal };
    this.#pace = new Pace(rate ?? null, signal);
    this.#from = after === undefined ? START : readCursor(after);
    this.#sample = sample === undefined ? null : { size: sample, seed };
  }

  /** Told in the audit before and after. */
  async run(): Promise<VerifyReport> {
    const { records, audit } = this.#run;
    const { collection, regions = "any" } = this.#options;
    const began = performance.now();
    await records.keys.requireReader();
    const size = this.#sample?.size ?? null;
    const details = { sample: size, regions, resumed: this.#options.after !== undefined };
    const facts = collection === undefined ? {} : { collection: parseCollection(collection) };
    await audit?.auditor.tell("verify", "begun", { ...facts, details });
    try {
      await this.#all();
    } catch (error) {
      const result = isVaultError(error) ? error.code : "unexpected";
      const told = audit?.auditor.tell("verify", result, { ...facts, details: { ...details, ...this.#counts() } });
      // What ended it is told to whoever asked; that this could not be written down adds nothing.
      await told?.catch(nothing);
      throw error;
    }
    await audit?.auditor.tell("verify", "done", { ...facts, details: { ...details, ...this.#counts() } });
    const seconds = Math.round(performance.now() - began) / 1000;
    return { ...this.#findings.report(), sample: this.#sample, seconds };
  }

  #counts(): Readonly<Record<string, string | number>> {
    const { verdict, looked, problems, owed } = this.#findings.report();
    const sum = Object.values(problems).reduce((all, count) => all + count, 0);
    const { records, versions, people, keys } = looked;
    return { verdict, records, versions, people, keys, problems: sum, owed };
  }

  async #all(): Promise<void> {
    const { collection } = this.#options;
    const { keys, audit } = this.#run;
    const isWhole = collection === undefined;
    if (isWhole && keys !== null) await this.#part("keys", () => listsOfKeys(this.#run, keys));
    if (isWhole && keys !== null) await this.#part("people", async () => listsOfPeople(this.#run, keys));
    const only = collection === undefined ? undefined : parseCollection(collection);
    await this.#part("records", () => listsOfRecords(this.#run, only));
    if (!isWhole || audit === null) return;
    const meter = new Meter(null);
    const first = this.#afterOf("missing");
    await verifyMissing(this.#run, audit, first?.after as AddressTag | null, async (heads, last) => {
      meter.add(heads);
      this.#tell({ part: "missing", list: "", after: last }, meter, last !== null);
    });
  }

  /** Where a part is begun; null: it was done before. */
  #afterOf(part: VerifyPart): VerifyCursor | null {
    const [from, here] = [VERIFY_PARTS.indexOf(this.#from.part), VERIFY_PARTS.indexOf(part)];
    if (here < from) return null;
    return here === from ? this.#from : { part, list: "", after: null };
  }

  async #part(part: VerifyPart, listsOf: () => Promise<Lists>): Promise<void> {
    const from = this.#afterOf(part);
    if (from === null) return;
    const { of, lists } = await listsOf();
    const isWhole = from.list === "" && from.after === null;
    if (this.#sample !== null) return this.#sampled(part, lists, this.#sample);
    const meter = new Meter(isWhole ? of : null);
    this.#tell(from, meter, true);
    for (const { name, entries } of lists) {
      if (name < from.list) continue;
      const after = name === from.list ? from.after : null;
      for await (const batch of batches(entries(after))) {
        await this.#look(batch);
        meter.add(batch.length);
        this.#tell({ part, list: name, after: batch.at(-1)?.position ?? after }, meter, true);
      }
    }
  }

  async #sampled(
    part: VerifyPart,
    lists: Lists["lists"],
    { size, seed }: NonNullable<VerifyReport["sample"]>,
  ): Promise<void> {
    const sample = new Sample<Entry>(size, seed);
    for (const { entries } of lists)
      for await (const entry of entries(null)) {
        requireGoingOn(this.#run.signal);
        sample.offer(entry.name, entry);
      }
    const items = sample.items();
    const meter = new Meter(items.length);
    for (let start = 0; start < items.length; start += BATCH) {
      const batch = items.slice(start, start + BATCH);
      await this.#look(batch);
      meter.add(batch.length);
      this.#tell({ part, list: "", after: null }, meter, false);
    }
  }

  /** Several at a time, and fewer where a keyring has no room for as many. Others have their turn before it. */
  async #look(batch: readonly Entry[]): Promise<void> {
    await setImmediate();
    await mapKeys(batch, this.#run.signal, async ({ look }) => {
      await this.#pace.turn();
      await look();
    });
  }

  #tell(cursor: VerifyCursor, { done, of, remainingMs }: Meter, isPlace: boolean): void {
    requireGoingOn(this.#run.signal);
    const { problems } = this.#findings;
    const where = isPlace ? writeCursor(cursor) : null;
    this.#options.onProgress?.({ part: cursor.part, done, of, remainingMs, problems, cursor: where });
  }
}

async function* batches(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  let batch: Entry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** @throws VaultError `vault-option-invalid` */
function requireSound({ sample, seed, rate, named, after, collection }: VerifyOptions): void {
  const problems: string[] = [];
  if (sample !== undefined && !isWithin(sample, 1, MOST_SAMPLED))
    problems.push(`sample must be a whole number from 1 to ${MOST_SAMPLED}`);
  if (seed !== undefined && (seed === "" || seed.length > 64)) problems.push("seed must be 1 to 64 characters");
  if (rate !== undefined && !(Number.isFinite(rate) && rate > 0)) problems.push("rate must be a number above 0");
  if (named !== undefined && !isWithin(named, 0, MOST_SAMPLED)) problems.push("named must be a whole number from 0");
  if (after !== undefined && sample !== undefined) problems.push("a sample has no cursor: give the same seed");
  if (after !== undefined && collection !== undefined && readCursor(after).part !== "records")
    problems.push("after is of a verification of everything, and a collection is given");
  if (problems.length > 0)
    throw new VaultError("vault-option-invalid", `the options of verify: ${problems.join("; ")}`);
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most;

const nothing = (): void => undefined;
