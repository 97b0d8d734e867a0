/**
 * The part of the AWS SDK's middleware stack that this library uses. Structural: the caller's client fits without this
 * package depending on the SDK.
 *
 * The steps of a call, outermost first: initialize, serialize (input to request), build, finalizeRequest (signs, and
 * repeats what is inside it for each attempt), deserialize (answer to output). Within a step, high priority is outside
 * low.
 */

/** What is known of a call all through its steps; one object for each call. */
export interface CallContext {
  readonly commandName?: string;
}

export interface SdkRequest {
  body?: unknown;
}

export interface SdkResponse {
  readonly statusCode: number;
  body?: unknown;
}

/** What goes in: `request` from the serialize step on. */
export interface CallArguments {
  readonly input: object;
  readonly request?: unknown;
}

/** What comes out: `output` outside of the SDK's deserializer. */
export interface HandlerResult {
  readonly response: unknown;
  readonly output?: unknown;
}

export type Handler = (args: CallArguments) => Promise<HandlerResult>;

/** Wraps the next handler of the same step. */
export type Middleware = (next: Handler, context: CallContext) => Handler;

/** Where in the stack a middleware goes. */
export interface Place {
  readonly name: string;
  readonly step: "serialize" | "deserialize";
  readonly priority: "high" | "low";
  /** Takes the place of one with the same name. */
  readonly override: true;
}

export interface SdkMiddlewareStack {
  add(middleware: never, place: never): void;
}

/** Any client of the AWS SDK for JavaScript v3, as far as it is needed here. */
export interface SdkClient {
  readonly middlewareStack: SdkMiddlewareStack;
}

export function isRequest(request: unknown): request is SdkRequest {
  return typeof request === "object" && request !== null && "body" in request;
}

export function isResponse(response: unknown): response is SdkResponse {
  return (
    typeof response === "object" &&
    response !== null &&
    "statusCode" in response &&
    typeof response.statusCode === "number"
  );
}
