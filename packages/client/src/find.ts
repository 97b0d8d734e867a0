/**
 * Records by the values of their fields. What is looked for goes in the body of a request, and is in no URL.
 */
import type { Answers } from "./api-types.ts";
import type { Caller, CallOptions } from "./call.ts";
import { present } from "./encoded.ts";
import { type Listing, listing } from "./paging.ts";

/** What is looked for in one field: a value in any spelling, the beginning of one, or a range with both of its ends. */
export type FieldQuery = string | number | boolean | { readonly prefix: string } | FieldRange;

/** From one value to another, with both of them. */
export interface FieldRange {
  readonly from: string | number;
  readonly to: string | number;
}

/** What is looked for, by the paths of fields that the collection declares with `find`: records that meet all of it. */
export type FindQuery = Readonly<Record<string, FieldQuery>>;

/** Whose records are looked for, and what of them is shown. */
export interface FindOptions extends CallOptions {
  /** 1 to 64 paths, `address.postcode`. Left out: all that the token may see. */
  readonly fields?: readonly string[] | undefined;
  /** Left out: as the collection declares it. */
  readonly tenant?: string | undefined;
}

/** A record that was found, with of its document what the token sees. */
export type FoundRecord = Answers["FindAnswer"]["items"][number];
/** How many records there are at most. */
export type FoundCount = Answers["CountFoundAnswer"];
/** By which indexes a query is answered. */
export type FindExplanation = Answers["ExplainFindAnswer"];

/** What the service gives in one page. */
const LARGEST_PAGE = 500;

/** The calls that find. Every method throws ClientError. */
export interface Finding {
  /**
   * Records that meet a query: `for await`, or a page at a time. A page may have fewer than its limit, or none, and
   * have a next one. Records that cannot be given are `damaged`.
   *
   * @example
   * ```ts
   * import { createClient } from "@strongroom/client";
   *
   * async function idsOf(url: string, token: string, email: string): Promise<readonly string[]> {
   *   const found = await createClient({ url, token }).records.find("customers", { email }).all();
   *   return found.map(({ id }) => id);
   * }
   * console.log(typeof idsOf); // prints: function
   * ```
   */
  find(collection: string, query: FindQuery, options?: FindOptions): Listing<FoundRecord>;
  /** By their tags alone, up to 10,000: an upper bound of what is found. */
  count(collection: string, query: FindQuery, options?: Omit<FindOptions, "fields">): Promise<FoundCount>;
  /** Reads no record. */
  explain(collection: string, query: FindQuery, options?: CallOptions): Promise<FindExplanation>;
}

/** The calls that find. @param segment the name of a collection as a part of a path */
export function findingOf({ answer }: Caller, segment: (collection: string) => string): Finding {
  return {
    find: (collection, query, { fields, tenant, ...options } = {}) =>
      listing(async (page) => {
        const body = { query: { ...query }, ...present({ ...page, fields: fields && [...fields], tenant }) };
        const params = { path: { collection: segment(collection) } };
        const { withheld, ...found } = await answer("FindAnswer", options, (http, init) =>
          http.POST("/v1/records/{collection}/find", { ...init, params, body }),
        );
        return { ...found, ...(withheld === undefined ? {} : { damaged: withheld }) };
      }, LARGEST_PAGE),
    count: (collection, query, { tenant, ...options } = {}) => {
      const params = { path: { collection: segment(collection) } };
      const body = { query: { ...query }, ...present({ tenant }) };
      return answer("CountFoundAnswer", options, (http, init) =>
        http.POST("/v1/records/{collection}/find/count", { ...init, params, body }),
      );
    },
    explain: (collection, query, options = {}) => {
      const params = { path: { collection: segment(collection) } };
      return answer("ExplainFindAnswer", options, (http, init) =>
        http.POST("/v1/records/{collection}/find/explain", { ...init, params, body: { query: { ...query } } }),
      );
    },
  };
}
