// A witness that is an object store with a retention lock: each checkpoint is an object of its own, which nobody can
// remove or replace until a day, whoever has the store's credentials, the account's root included (S3 Object Lock,
// COMPLIANCE). What was seen can so be hidden by nobody; the worst that a thief of the credentials does is to add.
//
// A key says what the object holds: `<prefix><origin>/<rest>-<size>`, where `rest` is what is left of the largest size,
// so that the newest checkpoint of a history is the first that a list of it gives. An object that is not the checkpoint
// that its key says, or that the log's key did not sign, says nothing of this log and is passed over.

import { parseCheckpoint } from "@strongroom/tlog/checkpoint";
import { NOTE_LIMITS, parseNote } from "@strongroom/tlog/note";
import type { FoundObject, ObjectStoreClient } from "./object-store.ts";
import type { Seen, SignedHead, Witness, WitnessFailures, WitnessedLog } from "./witness.ts";

/** Where the objects are, and for how long they stay. */
export interface ObjectWitnessOptions {
  /** A client of an S3 API that has been given its region and credentials. */
  readonly client: ObjectStoreClient;
  /** A bucket with object lock. */
  readonly bucket: string;
  /** What the keys of objects begin with: empty, or it ends in a slash. */
  readonly prefix?: string;
  /** Days that an object is locked: 1 to 36,500. A vault that is silent for longer is remembered by nobody here. */
  readonly days: number;
  /** Between two objects, at least, in milliseconds. */
  readonly pauseMs?: number;
}

/** An object a minute at most: each of them is kept for days, and is paid for. */
export const OBJECT_PAUSE_MS = 60_000;

const DAY_MS = 86_400_000;
const MOST_DAYS = 36_500;
const LIMITS = {
  timeoutMs: 10_000,
  /** Objects of a history that are passed over, before nothing is said of it. */
  passedOver: 100,
  /** Histories of a log: each restore that was accepted has begun one. */
  histories: 1000,
} as const;

/** How far the store's clock and ours may be apart when it is looked whether an object is locked. */
const CLOCKS_APART_MS = 3_600_000;

/** Digits of the largest size. */
const DIGITS = 16;
const MOST_SIZE = Number.MAX_SAFE_INTEGER;
const KEY_END = /^(\d{16})-(\d{1,16})$/;
/** What S3 and every tool takes in a key as it is. */
const SAFE = /^[A-Za-z0-9._/-]*$/;

/** What an object holds, if it is what its key says. */
interface FoundNote {
  readonly key: string;
  readonly size: number;
  readonly note: string;
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
      found = await this.#newestOfAll(log, log.checkpoint.origin);
    } catch (error) {
      return { kind: "away", reason: reasonOf(error) };
    }
    this.#largest = found.toSorted((one, other) => other.size - one.size)[0]?.note ?? null;
    let size = 0;
    for (const { key, note } of found)
      size = Math.max(size, await log.compare(note, `${this.name} (${key.slice(this.#prefix.length)})`));
    return found.length === 0 ? { kind: "nothing" } : { kind: "seen", size };
  }

  async record(head: SignedHead): Promise<void> {
    const { origin, size } = parseCheckpoint(parseNote(head.note).text);
    const key = `${this.#folderOf(origin)}${keyEnd(size)}`;
    try {
      await this.#client.putObject(
        {
          Bucket: this.#bucket,
          Key: key,
          Body: Buffer.from(head.note, "utf8"),
          ContentType: "text/plain; charset=utf-8",
          IfNoneMatch: "*",
          ChecksumAlgorithm: "SHA256",
          ObjectLockMode: "COMPLIANCE",
          ObjectLockRetainUntilDate: new Date(this.#now() + this.#days * DAY_MS),
        },
        calling(),
      );
    } catch (error) {
      if (!isTaken(error)) throw new Error(reasonOf(error), { cause: error });
      await this.#requireSame(key, head, { origin, size });
    }
    if (!this.#locks) this.#requireLocked(await this.#get(key));
  }

  /** The largest checkpoint that it was found to have when it was examined. */
  read(): Promise<string | null> {
    return Promise.resolve(this.#largest);
  }

  /**
   * Another process was faster: what it has put there must be the same tree.
   * Threat: two processes on two copies of one store, each of which goes on by itself.
   */
  async #requireSame(
    key: string,
    head: SignedHead,
    { origin, size }: { readonly origin: string; readonly size: number },
  ): Promise<void> {
    const found = await this.#noteAt(key, head, origin);
    if (found === null) throw new Error("something else lies in its place");
    const [there, here] = [head.own(found.note), head.own(head.note)];
    if (here !== null && there !== null && Buffer.compare(there.root, here.root) === 0) return;
    throw this.#failures.setBack(`${this.name} has seen other entries than the first ${size} that are here.`);
  }

  /** Threat: a store without object lock takes the request, leaves out what it does not know, and keeps nothing. */
  #requireLocked({ ObjectLockMode: mode, ObjectLockRetainUntilDate: until }: FoundObject): void {
    const wanted = this.#now() + this.#days * DAY_MS - CLOCKS_APART_MS;
    if (mode !== "COMPLIANCE" || until === undefined || until.getTime() < wanted)
      throw new Error("the bucket does not lock objects for as long as it is asked to, or does not say so");
    this.#locks = true;
  }

  /**
   * The newest checkpoint of each history of the log.
   * Threat: a log set back to before a restore that was accepted is whole, and goes on from all that its own history
   * has seen.
   */
  async #newestOfAll(log: SignedHead, origin: string): Promise<readonly FoundNote[]> {
    const above = this.#folderOf(origin.slice(0, origin.lastIndexOf("/") + 1)).replace(/\/+$/, "/");
    const folders = await this.#histories(above);
    const found: FoundNote[] = [];
    for (const folder of folders) {
      const newest = await this.#newestIn(folder, log);
      if (newest !== null) found.push(newest);
    }
    return found;
  }

  async #histories(above: string): Promise<readonly string[]> {
    const folders: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.#client.listObjectsV2(
        {
          Bucket: this.#bucket,
          Prefix: above,
          Delimiter: "/",
          MaxKeys: LIMITS.histories,
          ...(after !== undefined && { ContinuationToken: after }),
        },
        calling(),
      );
      for (const { Prefix: folder } of page.CommonPrefixes ?? []) if (folder !== undefined) folders.push(folder);
      if (folders.length > LIMITS.histories) throw new Error("it has more histories than a log begins");
      after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (after === undefined) return folders;
    }
  }

  async #newestIn(folder: string, log: SignedHead): Promise<FoundNote | null> {
    const { Contents: objects = [], IsTruncated: more } = await this.#client.listObjectsV2(
      { Bucket: this.#bucket, Prefix: folder, MaxKeys: LIMITS.passedOver },
      calling(),
    );
    const origin = folder.slice(this.#prefix.length, -1);
    for (const { Key: key } of objects) {
      const found = key === undefined ? null : await this.#noteAt(key, log, origin);
      if (found !== null) return found;
    }
    if (more === true) throw new Error(`the newest ${LIMITS.passedOver} objects of ${origin} are not the log's`);
    return null;
  }

  /** What lies at a key, null if it is not what the key says and the log has signed. */
  async #noteAt(key: string, { own }: SignedHead, origin: string): Promise<FoundNote | null> {
    const size = sizeOf(key.slice(key.lastIndexOf("/") + 1));
    if (size === null) return null;
    const bytes = await bytesOf(await this.#get(key));
    if (bytes === null) return null;
    const note = Buffer.from(bytes).toString("utf8");
    const seen = own(note);
    return seen?.origin === origin && seen.size === size ? { key, size, note } : null;
  }

  #get(key: string): Promise<FoundObject> {
    return this.#client.getObject({ Bucket: this.#bucket, Key: key, Range: `bytes=0-${NOTE_LIMITS.bytes}` }, calling());
  }

  #folderOf(origin: string): string {
    if (!SAFE.test(origin) || !origin.includes("/") || origin.length > 300)
      throw this.#failures.invalid("the log's name is no path of letters, digits and . _ -.");
    return `${this.#prefix}${origin}/`;
  }
}

const keyEnd = (size: number): string => `${String(MOST_SIZE - size).padStart(DIGITS, "0")}-${size}`;

function sizeOf(end: string): number | null {
  const [, , decimal = ""] = KEY_END.exec(end) ?? [];
  const size = Number(decimal);
  return Number.isSafeInteger(size) && keyEnd(size) === end ? size : null;
}

async function bytesOf({ Body: body, ContentLength: length }: FoundObject): Promise<Uint8Array | null> {
  if (body === undefined || length === undefined || length > NOTE_LIMITS.bytes) return null;
  return body.transformToByteArray();
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
