/**
 * What an operation took of keys: the calls of a KMS that it caused, and the keys that were made for it. Between a
 * record and a region lie caches, and calls that several operations wait for; whoever asked first is who caused them.
 * So they are noted by the operation that is under way (node's AsyncLocalStorage), and no function in between hands
 * them on. Nothing is noted, and nothing costs anything, where nobody asked for it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { OnCall } from "@strongroom/envelope/keyrings";
import type { KeyKind, KeyVersion } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";

/** A call of a KMS. */
export interface KeyCall {
  readonly region: string;
  /** The wrapping key's ARN. */
  readonly key: string;
  /** As the KMS's own log has it. */
  readonly requestId: string;
}

/** A key that was made. */
export interface MadeKeyNote {
  readonly kind: KeyKind;
  readonly version: KeyVersion;
  /** Whose; null: nobody's. */
  readonly person: SubjectId | null;
}

/** What was noted. */
export interface KeyWork {
  readonly calls: KeyCall[];
  readonly made: MadeKeyNote[];
  /** Told at once of what is called and written; left out: nobody is. */
  readonly watch?: WorkWatch;
}

/** What counts an operation while it is under way. */
export interface WorkWatch {
  called(region: string, operation: string): void;
  /** Bytes of wraps or of a message that are in the store now. */
  wrote(bytes: number): void;
}

const underWay = new AsyncLocalStorage<KeyWork>();

/** Notes what `run` takes of keys, up to when it has ended. */
export function notingKeyWork<Result>(work: KeyWork, run: () => Promise<Result>): Promise<Result> {
  return underWay.run(work, run);
}

/** A key that was made is in the key store. */
export function noteMade({ kind, owner, version }: Omit<MadeKeyNote, "person"> & { readonly owner: string }): void {
  underWay.getStore()?.made.push({ kind, version, person: isSubjectId(owner) ? owner : null });
}

/** Wraps or a message are in the store. */
export function noteWritten(bytes: number): void {
  underWay.getStore()?.watch?.wrote(bytes);
}

/** One more key of a kind. */
export function count(counters: Map<KeyKind, number>, kind: KeyKind): void {
  counters.set(kind, (counters.get(kind) ?? 0) + 1);
}

/** The option of the envelope's functions by which calls are noted; without it where nobody asks. */
export function notedCalls(): { readonly onCall?: OnCall } {
  const work = underWay.getStore();
  if (work === undefined) return {};
  return {
    onCall: ({ region, keyArn, operation, requestId }) => {
      work.calls.push({ region, key: keyArn, requestId });
      work.watch?.called(region, operation);
    },
  };
}
