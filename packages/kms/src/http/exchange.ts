// The two sides of one exchange over HTTP, and how the call in between went.

import type { RequestView } from "../auth/request-view.ts";
import type { Answer } from "../protocol/answer.ts";
import type { AwsError } from "../protocol/aws-error.ts";

/** A request as one region's server received it. */
export interface RegionRequest extends RequestView {
  readonly region: string;
  readonly remoteAddress: string;
}

/** What goes back. The body is wiped once it is sent. */
export interface RegionResponse {
  readonly status: number;
  readonly requestId: string;
  readonly body: Buffer;
}

/** How a call went. */
export type Outcome =
  | { readonly kind: "answer"; readonly input: unknown; readonly answer: Answer }
  | { readonly kind: "error"; readonly input: unknown; readonly error: AwsError };
