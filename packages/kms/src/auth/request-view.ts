// A request as the signature sees it: raw header pairs, the query as sent, the exact bytes of the body.

/** What verification needs of an HTTP request. */
export interface RequestView {
  readonly method: string;
  /** Path without the query, as sent. */
  readonly path: string;
  /** The query without `?`, as sent; empty if there is none. */
  readonly query: string;
  /** Name and value of every header line, duplicates kept, in the order sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Splits Node's flat `rawHeaders` into pairs. */
export function headerPairs(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  return pairs;
}
