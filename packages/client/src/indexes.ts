/**
 * What records are found by: what is declared beside what there is, and the work that brings the one to the other.
 * Looking needs the scope `read`, work and what indexes tell `admin`; of a token with roles the action `keys`.
 */
import type { Answers } from "./api-types.ts";
import type { Ask, Caller, CallOptions } from "./call.ts";
import { present } from "./encoded.ts";

/** An index beside what is declared, and what is to be done about it. */
export type IndexPlanLine = Answers["IndexPlanLine"];
/** A work on indexes, of the process of the service that was asked. */
export type IndexWork = Answers["IndexWork"];
/** What the tags of an index tell whoever has the database. */
export type IndexLeakage = Answers["LeakageAnswer"]["indexes"][number];

/** Of one collection; left out: of all. */
export interface IndexOptions extends CallOptions {
  readonly collection?: string | undefined;
}

/** Indexes. Every method throws ClientError; those that begin work, `index-work-under-way`. */
export interface Indexes {
  plan(options?: IndexOptions): Promise<readonly IndexPlanLine[]>;
  /**
   * Builds what is declared, and drops what is not; it goes on when the call has ended.
   *
   * @example
   * ```ts
   * import { setTimeout as delay } from "node:timers/promises";
   * import { createClient } from "@strongroom/client";
   *
   * async function applied(url: string, token: string): Promise<readonly string[]> {
   *   const { indexes } = createClient({ url, token });
   *   let work = await indexes.apply();
   *   while (work.state === "running") {
   *     await delay(500);
   *     work = (await indexes.work()) ?? work;
   *   }
   *   return work.applied?.built ?? [];
   * }
   * console.log(typeof applied); // prints: function
   * ```
   */
  apply(options?: IndexOptions): Promise<IndexWork>;
  /** Makes another index key, and builds every index anew under it. */
  rotateKey(options?: CallOptions): Promise<IndexWork>;
  drop(collection: string, index: string, options?: CallOptions): Promise<IndexWork>;
  /** Holds every document to the schema of its collection. */
  checkDocuments(options?: IndexOptions): Promise<IndexWork>;
  /** The present work of the process that answers, or its last one; null: it has done none. */
  work(options?: CallOptions): Promise<IndexWork | null>;
  leakage(collection: string, options?: CallOptions): Promise<readonly IndexLeakage[]>;
}

/** The calls about indexes. @param segment the name of a collection as a part of a path */
export function indexesOf({ answer }: Caller, segment: (collection: string) => string): Indexes {
  const of = ({ collection }: IndexOptions) => present({ collection });
  const begun = async (options: CallOptions, ask: Ask<Answers["IndexWorkBegun"]>): Promise<IndexWork> =>
    (await answer("IndexWorkBegun", options, ask, "writes")).work;
  return {
    plan: async (options = {}) =>
      (
        await answer("IndexesAnswer", options, (http, init) =>
          http.GET("/v1/indexes", { ...init, params: { query: of(options) } }),
        )
      ).indexes,
    apply: (options = {}) =>
      begun(options, (http, init) => http.POST("/v1/indexes/apply", { ...init, body: of(options) })),
    rotateKey: (options = {}) => begun(options, (http, init) => http.POST("/v1/indexes/rotate-key", init)),
    drop: (collection, index, options = {}) =>
      begun(options, (http, init) => http.POST("/v1/indexes/drop", { ...init, body: { collection, index } })),
    checkDocuments: (options = {}) =>
      begun(options, (http, init) => http.POST("/v1/indexes/documents", { ...init, body: of(options) })),
    work: async (options = {}) =>
      (await answer("IndexWorkAnswer", options, (http, init) => http.GET("/v1/indexes/work", init))).work,
    leakage: async (collection, options = {}) => {
      const params = { path: { collection: segment(collection) } };
      return (
        await answer("LeakageAnswer", options, (http, init) =>
          http.GET("/v1/collections/{collection}/leakage", { ...init, params }),
        )
      ).indexes;
    },
  };
}
