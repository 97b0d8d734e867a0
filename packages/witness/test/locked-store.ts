// An object store with versions and object lock, in memory, for tests: the part of the S3 API that a witness calls, and
// what somebody does who has its credentials. packages/witness/test-long asks a server that is not ours the same.

import type {
  FoundObject,
  FoundVersions,
  GetObjectInput,
  ListVersionsInput,
  ObjectStoreClient,
  PutObjectInput,
} from "../src/object-store.ts";

interface StoredVersion {
  readonly key: string;
  readonly id: string;
  readonly body: Uint8Array;
  readonly until: Date | null;
  readonly isMarker: boolean;
}

const failure = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error(`${name}: what the service says of it`), { name, $metadata: { httpStatusCode } });

/** A bucket. Calls fail with what is in `fails`. */
export class LockedStore implements ObjectStoreClient {
  /** Newest first. */
  #versions: StoredVersion[] = [];
  #count = 0;
  readonly locks: "keeps" | "takes-and-forgets" | "refuses";
  fails: Error | null = null;
  /** Versions on a page, at most. */
  pageSize = 1000;
  gets = 0;

  constructor(locks: LockedStore["locks"] = "keeps") {
    this.locks = locks;
  }

  /** Keys of everything that was ever put, oldest first. */
  get keys(): readonly string[] {
    return this.#versions
      .filter(({ isMarker }) => !isMarker)
      .map(({ key }) => key)
      .reverse();
  }

  putObject(input: PutObjectInput): Promise<{ VersionId?: string }> {
    if (this.fails !== null) return Promise.reject(this.fails);
    if (this.locks === "refuses") return Promise.reject(failure("InvalidRequest", 400));
    const [newest] = this.#of(input.Key);
    if (input.IfNoneMatch === "*" && newest?.isMarker === false)
      return Promise.reject(failure("PreconditionFailed", 412));
    const id = this.write(input.Key, input.Body, this.locks === "keeps" ? input.ObjectLockRetainUntilDate : null);
    return Promise.resolve(this.locks === "keeps" ? { VersionId: id } : {});
  }

  getObject({ Key: key, VersionId: id }: GetObjectInput): Promise<FoundObject> {
    this.gets++;
    if (this.fails !== null) return Promise.reject(this.fails);
    const found = this.#of(key).find((version) => version.id === id && !version.isMarker);
    if (found === undefined) return Promise.reject(failure("NoSuchVersion", 404));
    return Promise.resolve({
      Body: { transformToByteArray: () => Promise.resolve(found.body) },
      ContentLength: found.body.length,
      ...(found.until !== null && { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: found.until }),
    });
  }

  listObjectVersions(input: ListVersionsInput): Promise<FoundVersions> {
    if (this.fails !== null) return Promise.reject(this.fails);
    const { Prefix: prefix, Delimiter: delimiter, MaxKeys: most, KeyMarker: key, VersionIdMarker: version } = input;
    const listed = this.#versions
      .filter((one) => one.key.startsWith(prefix))
      .toSorted((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
    const folders = listed.map((one) => {
      const end = delimiter === undefined ? -1 : one.key.indexOf(delimiter, prefix.length);
      return end === -1 ? null : one.key.slice(0, end + 1);
    });
    const after = listed.findLastIndex((one, index) =>
      version === undefined ? (folders[index] ?? one.key) === key : one.key === key && one.id === version,
    );
    const end = Math.min(listed.length, after + 1 + Math.min(most, this.pageSize));
    const page = listed.slice(after + 1, end);
    const inFolders = new Set(folders.slice(after + 1, end).filter((folder) => folder !== null));
    const last = page.at(-1);
    return Promise.resolve({
      Versions: page
        .filter((one, index) => !one.isMarker && folders[after + 1 + index] === null)
        .map((one) => ({ Key: one.key, VersionId: one.id })),
      CommonPrefixes: [...inFolders].map((folder) => ({ Prefix: folder })),
      IsTruncated: end < listed.length,
      ...(last !== undefined && { NextKeyMarker: folders[end - 1] ?? last.key }),
      ...(last !== undefined && folders[end - 1] === null && { NextVersionIdMarker: last.id }),
    });
  }

  /** Whoever has the credentials writes, over whatever is there. */
  write(key: string, body: Uint8Array, until: Date | null = null): string {
    const id = `v${++this.#count}`;
    this.#versions.unshift({ key, id, body, until, isMarker: false });
    return id;
  }

  /** Whoever has the credentials deletes everything, as far as it lets itself be deleted. */
  deleteAll(): void {
    const keys = new Set(this.keys);
    this.#versions = this.#versions.filter(({ until }) => until !== null && until.getTime() > Date.now());
    for (const key of keys)
      this.#versions.unshift({ key, id: `v${++this.#count}`, body: new Uint8Array(), until: null, isMarker: true });
  }

  #of(key: string): readonly StoredVersion[] {
    return this.#versions.filter((version) => version.key === key);
  }
}
