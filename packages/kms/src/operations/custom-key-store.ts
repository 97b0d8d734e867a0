// What the custom key store operations share: this server has none, and answers as AWS does an account without any.

import { AwsError } from "../protocol/aws-error.ts";
import { text } from "../protocol/shape.ts";
import type { Shape } from "../protocol/shape.ts";

export const storeId: Shape<string> = text({ min: 1, max: 64 });
export const storeName: Shape<string> = text({ min: 1, max: 256 });

/** CustomKeyStoreNotFoundException. */
export const noSuchStore = (id: string): AwsError =>
  new AwsError("CustomKeyStoreNotFoundException", `Custom key store with id ${id} does not exist.`);
