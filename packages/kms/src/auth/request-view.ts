// A request as the signature sees it: every header line, the query as sent, the exact bytes of the body.

/** What verification needs of an HTTP request. */
export interface RequestView {
  readonly method: string;
  /** Path without the query, as sent. */
  readonly path: string;
  /** The query without `?`, as sent; empty if there is none. */
  readonly query: string;
  /** Header names in lower case, each with the values of all its lines in the order sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

/** Node's flat `rawHeaders`, which alone still have every line, by name. */
export function headersByName(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [rawHeaders[i + 1] ?? ""]);
    else values.push(rawHeaders[i + 1] ?? "");
  }
  return headers;
}

/** All values of a header, given in lower case. */
export const valuesOf = (request: RequestView, name: string): readonly string[] => request.headers.get(name) ?? [];
