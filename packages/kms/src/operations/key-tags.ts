// The rules of tags, which CreateKey, ReplicateKey and TagResource share.

import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";

type Tags = KeyRecord["tags"];

const MAX_TAGS = 50;

/**
 * The tags of a key after `added` are put on it: a tag with a known key takes the new value.
 * @throws AwsError TagException.
 */
export function newTags(present: Tags, added: readonly { readonly TagKey: string; readonly TagValue: string }[]): Tags {
  const keys = added.map((tag) => tag.TagKey);
  if (new Set(keys).size < keys.length) throw new AwsError("TagException", "Duplicate tag keys");
  if (keys.some((key) => key.toLowerCase().startsWith("aws:")))
    throw new AwsError("TagException", "Tags beginning with aws: are reserved");
  const tags = [
    ...present.filter((tag) => !keys.includes(tag.key)),
    ...added.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue })),
  ];
  if (tags.length > MAX_TAGS) throw new AwsError("TagException", "Too many tags");
  return tags;
}
