/**
 * @strongroom/base/bounded-body: the body of an answer that another program gives, up to a length that is counted after
 * its compression was undone. How long it may take is the business of the request's signal.
 */

/** Reads the body as text. @throws Error when it is longer than `mostBytes`; whatever the body ends with */
export async function boundedText({ body }: Response, mostBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > mostBytes) throw new Error("its answer is too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
