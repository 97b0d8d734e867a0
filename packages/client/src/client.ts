/**
 * The client: one method for each thing that the service does.
 */
import type { Answers } from "./api-types.ts";
import { type Audit, auditOf } from "./audit.ts";
import { type CallOptions, caller, type ClientOptions, unintelligible } from "./call.ts";
import { type Approvals, approvalsOf } from "./approvals.ts";
import { type People, peopleOf } from "./people.ts";
import { erasureOf, type Erasures } from "./erasure.ts";
import { type Convergence, convergenceOf } from "./convergence.ts";
import { encoded, present } from "./encoded.ts";
import { ClientError } from "./errors.ts";
import { type Finding, findingOf } from "./find.ts";
import { type Indexes, indexesOf } from "./indexes.ts";
import { type Listing, listing } from "./paging.ts";

/** A parsed document. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A document to be written: an object, or its JSON text, which is then sent as it stands. */
export type DocumentInput = object | string | Uint8Array;

/** One version of a record. */
export interface StoredRecord {
  readonly document: JsonObject;
  /** The document's JSON text, exactly as the service sent it. */
  readonly text: string;
  readonly version: number;
  /** Whom the record is about; null: nobody. */
  readonly subject: string | null;
  /** Further people whom it is about; left out where there are none. */
  readonly about?: readonly string[];
  /**
   * When this version was written: RFC 3339, to the millisecond; to the second where an older service, or a proxy,
   * leaves out `Strongroom-Created-At`. Null if the service did not say.
   */
  readonly createdAt: string | null;
}

/** What came of a write. */
export type PutResult = Answers["PutAnswer"];
/** What came of a removal. */
export type RemoveResult = Answers["RemoveAnswer"];
/** One version in a record's history. */
export type VersionInfo = Answers["VersionsAnswer"]["versions"][number];
/** One record in a listing. */
export type ListedRecord = Answers["ListAnswer"]["items"][number];
/** Whom a record is about, by the names that its writers use. */
export interface Whom {
  /** Left out: as it is; of a new record as its collection declares, or `COLLECTION/ID`. */
  readonly subject?: string | undefined;
  /** Further people; left out: as it is. Empty: nobody. */
  readonly about?: readonly string[] | undefined;
  /** Lets the record come to be about somebody else; without it that is `subject-differs`. */
  readonly repoint?: boolean | undefined;
  /** Whose people they are. The KMS logs it in clear. */
  readonly tenant?: string | undefined;
}

/** A record of a batch. */
export interface BatchItem extends Whom {
  readonly id: string;
  readonly document: object;
}
/** What a batch does where a record exists already: `compare` leaves equal documents alone. */
export type OnExisting = Answers["BatchRequest"]["onExisting"];
/** What became of one record of a batch. */
export type BatchResult = Answers["BatchAnswer"]["results"][number];
/** A collection and how many records it holds. */
export type CollectionInfo = Answers["CollectionsAnswer"]["collections"][number];
/** The regions, what is owed, and what the repair does. */
export type RegionsReport = Answers["RegionsAnswer"];
/** One region as the service saw it in real calls. */
export type RegionReport = RegionsReport["regions"][number];
/** A key or a version that owes a wrap: `kind` says which. */
export type Owed = Answers["DebtAnswer"]["items"][number];
/** A job of the store's processes, with its partitions. */
export type Job = Answers["JobsAnswer"]["jobs"][number];
/** Calls of a KMS that the traffic of a process has come to, and would come to in each scope. */
export type KeyCost = NonNullable<Answers["KeyCostAnswer"]["cost"]>;
/** Whether the service can do its work, and what of it cannot. */
export type Readiness = Answers["ReadyAnswer"];

/** Conditions of a write, and whom it is about. */
export interface PutOptions extends CallOptions, Whom {
  /** Write only on this version, else `version-conflict`. */
  readonly ifVersion?: number | undefined;
  /** Write only where there is no such record, else `version-conflict`. */
  readonly ifAbsent?: boolean | undefined;
}

/** What of a document is read. */
export interface GetOptions extends CallOptions {
  /** 1 to 64 paths, `address.postcode`. Left out: all that the token may see. */
  readonly fields?: readonly string[] | undefined;
}

/** The records of a service. Every method throws {@link ClientError}. */
export interface Records extends Finding {
  /** Writes a new version. */
  put(collection: string, id: string, document: DocumentInput, options?: PutOptions): Promise<PutResult>;
  /** Writes many in one transaction, and says what became of each, in their order. Left out: `compare`. */
  putMany(
    collection: string,
    items: readonly BatchItem[],
    options?: CallOptions & { readonly onExisting?: OnExisting | undefined },
  ): Promise<readonly BatchResult[]>;
  /** The newest version. */
  get(collection: string, id: string, options?: GetOptions): Promise<StoredRecord>;
  /** One version. */
  version(collection: string, id: string, version: number, options?: GetOptions): Promise<StoredRecord>;
  /** The versions, newest first, without their documents. */
  history(collection: string, id: string, options?: CallOptions): Promise<readonly VersionInfo[]>;
  /** Removes all versions; only on `ifVersion` where that is given. */
  remove(
    collection: string,
    id: string,
    options?: CallOptions & { readonly ifVersion?: number | undefined },
  ): Promise<RemoveResult>;
  /** The records in the order of their ids: `for await`, or a page at a time. */
  list(collection: string, options?: CallOptions): Listing<ListedRecord>;
}

/** A client of one service. Every method throws {@link ClientError}. */
export interface Client {
  readonly records: Records;
  collections(options?: CallOptions): Promise<readonly CollectionInfo[]>;
  /** Health of each region, and the wraps that are owed. */
  regions(options?: CallOptions): Promise<RegionsReport>;
  /** The keys and versions that owe a wrap. */
  debt(options?: CallOptions): Listing<Owed>;
  /** The long work of every process on the same store, by name. */
  jobs(options?: CallOptions): Promise<readonly Job[]>;
  /** What the keys cost, as the process that answers has counted since it started; null: it has no key store. */
  keyCost(options?: CallOptions): Promise<KeyCost | null>;
  /** Who did what. */
  readonly audit: Audit;
  /** What is stored beside the keys that are declared, and runs that bring it there. */
  readonly convergence: Convergence;
  /** What one principal asks for and another one approves. */
  readonly approvals: Approvals;
  /** What people may ask of whoever keeps their data. */
  readonly people: People;
  /** What records are found by. */
  readonly indexes: Indexes;
  /** Erasures of people, and legal holds. */
  readonly erasure: Erasures;
  /** Resolves when the process lives. */
  health(options?: CallOptions): Promise<void>;
  /** Whether the service can do its work; that it cannot is no error here. */
  ready(options?: CallOptions): Promise<Readiness>;
}

/**
 * Makes a client. It keeps no connection of its own and needs no closing.
 *
 * @throws ClientError `option-invalid`
 * @example
 * ```ts
 * import { createClient, isClientError } from "@strongroom/client";
 *
 * const { STRONGROOM_URL: url = "http://127.0.0.1:8200", STRONGROOM_TOKEN: token = "" } = process.env;
 * const client = createClient({ url, token });
 * await client.records.put("people", "ada", { name: "Ada Lovelace" });
 * for await (const { id, version } of client.records.list("people")) console.log(id, version); // prints: ada 1
 * try {
 *   await client.records.get("people", "nobody");
 * } catch (error) {
 *   if (!isClientError(error)) throw error;
 *   console.log(error.code, error.status); // prints: record-absent 404
 * }
 * ```
 */
export function createClient(options: ClientOptions): Client {
  const calls = caller(options);
  const { answer, text } = calls;
  const records: Records = {
    ...findingOf(calls, collectionSegment),
    put: async (collection, id, document, options = {}) => {
      const { ifVersion, ifAbsent } = options;
      const path = address(collection, id);
      const header = {
        ...whomHeaders(options),
        ...(ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` }),
        ...(ifAbsent === true ? { "if-none-match": "*" } : {}),
      };
      const body = documentText(document);
      return answer("PutAnswer", options, (http, init) =>
        http.PUT("/v1/records/{collection}/{id}", {
          ...init,
          params: { path, header },
          // The text goes out as it is.
          body: {},
          bodySerializer: () => body,
        }),
      );
    },
    putMany: async (collection, items, options = {}) => {
      const { onExisting = "compare" } = options;
      const path = { collection: collectionSegment(collection) };
      const body = jsonText({ records: items, onExisting });
      const { results } = await answer("BatchAnswer", options, (http, init) =>
        http.POST("/v1/records/{collection}", {
          ...init,
          params: { path },
          body: { records: [], onExisting },
          bodySerializer: () => body,
        }),
      );
      if (results.length !== items.length) throw unintelligible("a batch's answer has another length than the batch");
      return results;
    },
    get: async (collection, id, options = {}) => {
      const params = { path: address(collection, id), query: fieldsQuery(options) };
      return stored(
        await text(options, (http, init) =>
          http.GET("/v1/records/{collection}/{id}", { ...init, params, parseAs: "text" }),
        ),
      );
    },
    version: async (collection, id, version, options = {}) => {
      const path = { ...address(collection, id), version: String(version) };
      const params = { path, query: fieldsQuery(options) };
      return stored(
        await text(options, (http, init) =>
          http.GET("/v1/records/{collection}/{id}/versions/{version}", { ...init, params, parseAs: "text" }),
        ),
      );
    },
    history: async (collection, id, options = {}) => {
      const path = address(collection, id);
      const { versions } = await answer("VersionsAnswer", options, (http, init) =>
        http.GET("/v1/records/{collection}/{id}/versions", { ...init, params: { path } }),
      );
      return versions;
    },
    remove: async (collection, id, options = {}) => {
      const path = address(collection, id);
      const { ifVersion } = options;
      const header = ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` };
      return answer("RemoveAnswer", options, (http, init) =>
        http.DELETE("/v1/records/{collection}/{id}", { ...init, params: { path, header } }),
      );
    },
    list: (collection, options = {}) =>
      listing(async (page) => {
        const path = { collection: collectionSegment(collection) };
        return answer("ListAnswer", options, (http, init) =>
          http.GET("/v1/records/{collection}", { ...init, params: { path, query: present(page) } }),
        );
      }),
  };
  return {
    records,
    audit: auditOf(calls),
    convergence: convergenceOf(calls),
    approvals: approvalsOf(calls),
    people: peopleOf(calls),
    indexes: indexesOf(calls, collectionSegment),
    erasure: erasureOf(calls),
    collections: async (options = {}) =>
      (await answer("CollectionsAnswer", options, (http, init) => http.GET("/v1/collections", init))).collections,
    regions: (options = {}) => answer("RegionsAnswer", options, (http, init) => http.GET("/v1/regions", init)),
    debt: (options = {}) =>
      listing((page) =>
        answer("DebtAnswer", options, (http, init) =>
          http.GET("/v1/regions/debt", { ...init, params: { query: present(page) } }),
        ),
      ),
    jobs: async (options = {}) =>
      (await answer("JobsAnswer", options, (http, init) => http.GET("/v1/jobs", init))).jobs,
    keyCost: async (options = {}) =>
      (await answer("KeyCostAnswer", options, (http, init) => http.GET("/v1/keys/cost", init))).cost,
    health: async (options = {}) => {
      await answer("HealthAnswer", options, (http, init) => http.GET("/healthz", init));
    },
    ready: (options = {}) =>
      answer("ReadyAnswer", options, async (http, init) => {
        // Not ready is status 503, and an answer all the same.
        const { data, error, response } = await http.GET("/readyz", init);
        return { data: data ?? error, response };
      }),
  };
}

function stored({ text, headers }: { readonly text: string; readonly headers: Headers }): StoredRecord {
  const version = Number(headers.get("strongroom-version"));
  const subject = headers.get("strongroom-subject");
  const about = headers.get("strongroom-about");
  const created = Date.parse(headers.get("strongroom-created-at") ?? headers.get("last-modified") ?? "");
  if (!Number.isSafeInteger(version) || version < 1) throw unintelligible("a record's headers");
  return {
    document: parsedDocument(text),
    text,
    version,
    subject: subject === null ? null : decoded(subject),
    ...(about === null ? {} : { about: about.split(",").map((name) => decoded(name.trim())) }),
    createdAt: Number.isNaN(created) ? null : new Date(created).toISOString(),
  };
}

const fieldsQuery = ({ fields }: Pick<GetOptions, "fields">): { readonly fields?: string } =>
  fields === undefined ? {} : { fields: fields.join(",") };

function whomHeaders({ subject, about, repoint, tenant }: Whom) {
  const name = (text: string): string => encoded(text, "subject-invalid");
  return present({
    "strongroom-subject": subject === undefined ? undefined : name(subject),
    "strongroom-about": about?.map(name).join(", "),
    "strongroom-repoint": repoint === undefined ? undefined : (`${repoint}` as const),
    "strongroom-tenant": tenant === undefined ? undefined : encoded(tenant, "tenant-invalid"),
  });
}

function parsedDocument(text: string): JsonObject {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's message quotes the document.
  }
  if (typeof document === "object" && document !== null && !Array.isArray(document)) return document as JsonObject;
  throw unintelligible("a document is not a JSON object");
}

function documentText(document: DocumentInput): string | Uint8Array<ArrayBuffer> {
  if (typeof document === "string") return document;
  return isBytes(document) ? new Uint8Array(document) : jsonText(document);
}

/** A Uint8Array of any realm. */
function isBytes(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** JSON.stringify would write null for what JSON has no word for: a value changed in silence. */
function jsonText(value: object): string {
  try {
    return JSON.stringify(value, function (this: unknown, _key, member: unknown) {
      const lost = (typeof member === "number" && !Number.isFinite(member)) || typeof member === "bigint";
      if (lost || (Array.isArray(this) && /^(undefined|function|symbol)$/.test(typeof member)))
        throw new ClientError("document-invalid", { detail: `JSON cannot hold a ${nameOf(member)} in it.` });
      return member;
    });
  } catch (error) {
    if (error instanceof ClientError) throw error;
    // It refers to itself, or its toJSON fails; the message may quote it.
    throw new ClientError("document-invalid", { detail: "It cannot be written as JSON." });
  }
}

function nameOf(member: unknown): string {
  return typeof member === "number" ? "number that is not finite" : typeof member;
}

/** The name of a collection, as a part of a path. */
const collectionSegment = (collection: string): string => segment(collection, "collection");

function address(collection: string, id: string): { collection: string; id: string } {
  return { collection: segment(collection, "collection"), id: segment(id, "id") };
}

const NAME_RULES: Readonly<Record<"collection" | "id", string>> = {
  id: "An id is 1 to 256 bytes, without / or \\ and without control characters.",
  collection: "A collection is a small letter, then small letters, digits, - or _.",
};

/**
 * A name as a part of the path. "." and ".." and nothing at all would change the path (RFC 3986, section 5.2.4) and
 * name another route; they are no names anyway.
 */
function segment(name: string, what: "collection" | "id"): string {
  const code = `${what}-invalid` as const;
  if (name === "" || name === "." || name === "..")
    throw new ClientError(code, {
      title: `Not a valid ${what}`,
      detail: name === "" ? `The ${what} is empty.` : `The ${what} may not be "${name}".`,
      remedy: NAME_RULES[what],
    });
  encoded(name, code);
  return name;
}

function decoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
