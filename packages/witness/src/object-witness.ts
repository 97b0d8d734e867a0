// A witness that is an object store with a retention lock: each checkpoint is an object of its own, of which nobody
// removes the version that was written until a day, the account's root included (S3 Object Lock, COMPLIANCE).
//
// A key says what its object holds: `<prefix><origin>/<rest>-<size>`, where `rest` is what is left of the largest size,
// so that the newest checkpoint of a history is the first that a list of it gives.
// Threat: whoever has the store's credentials writes other versions over what is there, or marks it as deleted, and so
// hides it from an ordinary list. Versions are listed and read, therefore: what was locked is among them. One that is
// not the checkpoint that its key says, or that the log's key did not sign, says nothing of this log.

import { parseCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { NOTE_LIMITS, parseNote } from "@strongroom/tlog/note";
import type { FoundObject, FoundVersions, ListVersionsInput, ObjectStoreClient } from "./object-store.ts";
import type { Seen, SignedHead, Witness, WitnessFailures, WitnessedLog } from "./witness.ts";

/** Where the objects are, and for how long they stay. */
export interface ObjectWitnessOptions {
  /** A client of an S3 API that has its region and credentials. */
  readonly client: ObjectStoreClient;
  /** A bucket with object lock. */
  readonly bucket: string;
  /** What keys begin with: empty when left out, or it ends in a slash. */
  readonly prefix?: string;
  /** Days that an object is locked: 1 to 36,500. What is older than that is remembered by nobody here. */
  readonly days: number;
  /** Between two objects, at least, in milliseconds: a minute when left out. Each object is kept, and paid for. */
  readonly pauseMs?: number;
}

const OBJECT_PAUSE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_DAYS = 36_500;
const LIMITS = {
  timeoutMs: 10_000,
  /** Versions of a history that are passed over, before nothing is said of it. */
  passedOver: 200,
  /** Histories of a log: each restore that was accepted has begun one. */
  histories: 1000,
} as const;

/** How far the store's clock and ours may be apart when it is looked whether an object is locked. */
const CLOCKS_APART_MS = 3_600_000;

const MOST_SIZE = Number.MAX_SAFE_INTEGER;
const DIGITS = String(MOST_SIZE).length;
/** What every client and tool takes in a key as it is. */
const SAFE = /^[A-Za-z0-9._/-]*$/;

/** A version of an object. */
interface Version {
  readonly key: string;
  readonly id: string;
}

/** A checkpoint that the log has signed. */
interface FoundNote {
  readonly key: string;
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** An object store that keeps what it was given. */
export class ObjectWitness implements Witness {
  readonly name: string;
  readonly pauseMs: number;
  readonly #client: ObjectStoreClient;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #days: number;
  readonly #failures: WitnessFailures;
  readonly #now: () => number;
  /** Whether the store was seen to lock what it is given. */
  #locks = false;
  #largest: string | null = null;

  /** @throws what `WitnessFailures.invalid` makes */
  constructor(options: ObjectWitnessOptions, failures: WitnessFailures, now: () => number = Date.now) {
    const { client, bucket, prefix = "", days, pauseMs = OBJECT_PAUSE_MS } = options;
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw failures.invalid("that is no bucket's name.");
    if (!SAFE.test(prefix) || prefix.length > 500 || (prefix !== "" && !prefix.endsWith("/")))
      throw failures.invalid("a prefix has letters, digits and . _ - /, and ends in a slash.");
    if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS)
      throw failures.invalid(`objects are locked for 1 to ${MOST_DAYS} days.`);
    if (!Number.isInteger(pauseMs) || pauseMs < 0 || pauseMs > DAY_MS)
      throw failures.invalid("the pause between two objects is a number of milliseconds, a day at most.");
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#days = days;
    this.#failures = failures;
    this.#now = now;
    this.pauseMs = pauseMs;
    this.name = `the witness s3://${bucket}/${prefix}`;
  }

  async examine(log: WitnessedLog): Promise<Seen> {
    let found: readonly FoundNote[];
    try {
      found = await this.#newestOfAll(log);
    } catch (error) {
      return { kind: "away", reason: reasonOf(error) };
    }
    this.#largest = found.toSorted((one, other) => other.checkpoint.size - one.checkpoint.size)[0]?.note ?? null;
    let size = 0;
    for (const { key, note } of found) size = Math.max(size, await log.compare(note, `${this.name} (${key})`));
    return found.length === 0 ? { kind: "nothing" } : { kind: "seen", size };
  }

  async record(head: SignedHead): Promise<void> {
    const told = parseCheckpoint(parseNote(head.note).text);
    const there = await this.#putUnlessThere(head, told).catch((cause: unknown) => {
      throw new Error(reasonOf(cause), { cause });
    });
    // Threat: two processes on two copies of one store, each of which goes on by itself.
    if (there !== null && Buffer.compare(there.checkpoint.root, told.root) !== 0)
      throw this.#failures.setBack(`${this.name} has seen other entries than the first ${told.size} that are here.`);
  }

  /** What is there already of this size, if the log has signed it. */
  async #putUnlessThere(head: SignedHead, { origin, size }: Checkpoint): Promise<FoundNote | null> {
    const key = `${this.#folderOf(origin)}${keyEnd(size)}`;
    if ((await this.#put(key, head.note, { IfNoneMatch: "*" })) === "put") return null;
    const there = await this.#newestIn(key, head, origin);
    // What somebody else has put there keeps nobody from writing another version: it stays, and is found.
    if (there === null) await this.#put(key, head.note, {});
    return there;
  }

  /** The largest checkpoint that it was found to have when it was examined. */
  read(): Promise<string | null> {
    return Promise.resolve(this.#largest);
  }

  async #put(key: string, note: string, condition: { readonly IfNoneMatch?: "*" }): Promise<"put" | "taken"> {
    const until = this.#now() + this.#days * DAY_MS;
    try {
      const { VersionId: id } = await this.#client.putObject(
        {
          Bucket: this.#bucket,
          Key: key,
          Body: Buffer.from(note, "utf8"),
          ContentType: "text/plain; charset=utf-8",
          ChecksumAlgorithm: "SHA256",
          ObjectLockMode: "COMPLIANCE",
          ObjectLockRetainUntilDate: new Date(until),
          ...condition,
        },
        calling(),
      );
      if (!this.#locks) await this.#requireLocked({ key, id: id ?? "" }, until);
    } catch (error) {
      if (!isTaken(error)) throw error;
      return "taken";
    }
    return "put";
  }

  /** Threat: a store without object lock takes the request, leaves out what it does not know, and keeps nothing. */
  async #requireLocked(version: Version, wanted: number): Promise<void> {
    const found: FoundObject = version.id === "" ? {} : await this.#get(version);
    const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until } = found;
    if (mode !== "COMPLIANCE" || until === undefined || until.getTime() < wanted - CLOCKS_APART_MS)
      throw new Error("the bucket does not lock objects for as long as it is asked to, or does not say so");
    this.#locks = true;
  }

  /**
   * The newest checkpoint of each history of the log.
   * Threat: a log set back to before a restore that was accepted is whole, and goes on from all that its own history
   * has seen.
   */
  async #newestOfAll(log: WitnessedLog): Promise<readonly FoundNote[]> {
    const own = this.#folderOf(log.checkpoint.origin);
    const above = own.slice(0, own.lastIndexOf("/", own.length - 2) + 1);
    const found: FoundNote[] = [];
    for (const folder of await this.#foldersIn(above)) {
      const newest = await this.#newestIn(folder, log, folder.slice(this.#prefix.length, -1));
      if (newest !== null) found.push(newest);
    }
    return found;
  }

  async #foldersIn(above: string): Promise<readonly string[]> {
    const folders: string[] = [];
    for await (const page of this.#pages({ Prefix: above, Delimiter: "/", MaxKeys: LIMITS.histories })) {
      for (const { Prefix: folder } of page.CommonPrefixes ?? []) if (folder !== undefined) folders.push(folder);
      if (folders.length > LIMITS.histories) throw new Error("it has more histories than a log begins");
    }
    return folders;
  }

  /** The newest checkpoint of a history below a folder, or at a key. */
  async #newestIn(below: string, log: SignedHead, origin: string): Promise<FoundNote | null> {
    let passedOver = 0;
    for await (const page of this.#pages({ Prefix: below, MaxKeys: LIMITS.passedOver })) {
      for (const { Key: key = "", VersionId: id = "" } of page.Versions ?? []) {
        const found = await this.#noteOf({ key, id }, log, origin);
        if (found !== null) return found;
        if (++passedOver >= LIMITS.passedOver)
          throw new Error(`the newest ${LIMITS.passedOver} versions of ${origin} are not the log's`);
      }
    }
    return null;
  }

  async *#pages(of: Omit<ListVersionsInput, "Bucket">): AsyncGenerator<FoundVersions> {
    let marker: Pick<ListVersionsInput, "KeyMarker" | "VersionIdMarker"> | null = {};
    while (marker !== null) {
      const page: FoundVersions = await this.#client.listObjectVersions(
        { Bucket: this.#bucket, ...of, ...marker },
        calling(),
      );
      yield page;
      const { IsTruncated: more, NextKeyMarker: key, NextVersionIdMarker: version } = page;
      marker =
        more === true && key !== undefined
          ? { KeyMarker: key, ...(version !== undefined && { VersionIdMarker: version }) }
          : null;
    }
  }

  /** What a version holds, null if it is not what its key says and the log has signed. */
  async #noteOf(version: Version, log: SignedHead, origin: string): Promise<FoundNote | null> {
    const { key } = version;
    const size = sizeOf(key.slice(key.lastIndexOf("/") + 1));
    if (size === null) return null;
    const { Body: body, ContentLength: length = Infinity } = await this.#get(version);
    if (body === undefined || length > NOTE_LIMITS.bytes) return null;
    const note = Buffer.from(await body.transformToByteArray()).toString("utf8");
    const checkpoint = log.own(note);
    return checkpoint?.origin === origin && checkpoint.size === size ? { key, note, checkpoint } : null;
  }

  #get({ key, id }: Version): Promise<FoundObject> {
    const part = { Range: `bytes=0-${NOTE_LIMITS.bytes}` };
    return this.#client.getObject({ Bucket: this.#bucket, Key: key, VersionId: id, ...part }, calling());
  }

  #folderOf(origin: string): string {
    if (!SAFE.test(origin) || !origin.includes("/") || origin.length > 300)
      throw this.#failures.invalid("the log's name is no path of letters, digits and . _ -.");
    return `${this.#prefix}${origin}/`;
  }
}

const keyEnd = (size: number): string => `${String(MOST_SIZE - size).padStart(DIGITS, "0")}-${size}`;

function sizeOf(end: string): number | null {
  const size = Number(/^\d{16}-(\d{1,16})$/.exec(end)?.[1]);
  return Number.isSafeInteger(size) && keyEnd(size) === end ? size : null;
}

const calling = (): { readonly abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(LIMITS.timeoutMs) });

/** There is an object of this key: `If-None-Match` was not fulfilled. */
function isTaken(error: unknown): boolean {
  const { name, $metadata } = error as { name?: unknown; $metadata?: { httpStatusCode?: unknown } };
  return name === "PreconditionFailed" || $metadata?.httpStatusCode === 412;
}

/** The name of the service's error, never its text: that may hold what it was sent. */
function reasonOf(error: unknown): string {
  const { name, message, code } = error as { name?: string; message?: string; code?: unknown };
  if (name === "TimeoutError" || name === "AbortError") return "no answer in time";
  if (typeof code === "string") return `no connection (${code})`;
  return name === "Error" ? (message ?? "unknown") : `the store says ${name ?? "nothing"}`;
}
