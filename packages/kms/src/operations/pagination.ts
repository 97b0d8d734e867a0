// Pages of a list. A marker names the last item shown, so items that come or go between two pages shift nothing.

import { AwsError } from "../protocol/aws-error.ts";

/** One page: NextMarker is there exactly if Truncated is true. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

/**
 * The page after `marker` of the items in the order of their ids.
 * @throws AwsError InvalidMarkerException for a marker that this server did not make.
 */
export function pageOf<T>(
  items: Iterable<T>,
  idOf: (item: T) => string,
  limit: number,
  marker: string | undefined,
): Page<T> {
  const after = marker === undefined ? null : decode(marker);
  const sorted = [...items].map((item) => ({ id: idOf(item), item })).filter(({ id }) => after === null || id > after);
  sorted.sort((a, b) => (a.id < b.id ? -1 : 1));
  const shown = sorted.slice(0, limit);
  const last = shown.at(-1);
  const page = { items: shown.map(({ item }) => item), Truncated: sorted.length > shown.length };
  return page.Truncated && last !== undefined ? { ...page, NextMarker: encode(last.id) } : page;
}

const PREFIX = "after:";
const encode = (id: string): string => Buffer.from(PREFIX + id, "utf8").toString("base64url");

function decode(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith(PREFIX) || encode(text.slice(PREFIX.length)) !== marker) {
    throw new AwsError("InvalidMarkerException", "The marker is not one that a former answer gave.");
  }
  return text.slice(PREFIX.length);
}
