/**
 * Plaintext keys of AWS KMS as bytes in both directions, in the ordinary client of the AWS SDK. Threat answered: the
 * SDK makes base64 strings of the keys it carries, which stay in memory until the garbage collector and whatever comes
 * after it have overwritten them, and which nobody can wipe.
 *
 * The key is taken out before the SDK serializes a request, and written as bytes into what it has made; and out of the
 * bytes of an answer, before the SDK parses the rest. Signing, credentials, endpoints and retries remain the SDK's.
 */
import { EnvelopeError } from "../../errors.ts";
import { isBytes } from "../../options.ts";
import { readBase64 } from "./base64-bytes.ts";
import { collectBody } from "./collect-body.ts";
import { findStringMember, malformed, withBase64Member } from "./json-members.ts";
import { isRequest, isResponse } from "./middleware.ts";
import type { CallContext, Middleware, Place, SdkClient, SdkResponse } from "./middleware.ts";
import { secretInAnswer, secretInRequest } from "./secret-members.ts";

/** From here on an answer is an exception, for the SDK to read. */
const FIRST_FAILURE_STATUS = 300;

/**
 * Has `client` (a `KMS` or `KMSClient` of @aws-sdk/client-kms) carry plaintext keys as bytes, and answers the same
 * client. Doing so twice does nothing more. Calls give the same outputs as before; the bytes of `Plaintext`,
 * `PrivateKeyPlaintext` and `SharedSecret` share their memory with nothing else, and are the caller's to wipe.
 *
 * An answer in which the key is missing, doubled, escaped or not canonical base64 rejects with a SyntaxError, as one
 * that is not JSON does. Use it with `wipingAgents`, or copies of what came over the connections remain.
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
 *
 * // Your key ARNs; an endpoint only where it is not AWS itself.
 * const keys: { region: string; keyArn: string; endpoint?: string }[] = JSON.parse(process.env["KMS_KEYS"] ?? "[]");
 * for (const { region, keyArn, ...endpoint } of keys.slice(0, 1)) {
 *   const client = keysAsBytes(new KMS({ region, maxAttempts: 1, requestHandler: wipingAgents(), ...endpoint }));
 *   const { Plaintext } = await client.generateDataKey({ KeyId: keyArn, NumberOfBytes: 32 });
 *   console.log(Plaintext?.length); // prints: 32
 *   Plaintext?.fill(0);
 * }
 * ```
 */
export function keysAsBytes<Client extends SdkClient>(client: Client): Client {
  requireClient(client);
  const stack: { add(middleware: Middleware, place: Place): void } = client.middlewareStack;
  const requests = new WeakMap<CallContext, Uint8Array>();
  const answers = new WeakMap<CallContext, Buffer>();
  const add = (middleware: Middleware, step: Place["step"], priority: Place["priority"]): void => {
    stack.add(middleware, { name: `strongroomKeysAsBytes-${step}-${priority}`, step, priority, override: true });
  };
  add(withholdFromSerializer(requests), "serialize", "high");
  add(spliceIntoRequest(requests), "serialize", "low");
  add(handToCaller(answers), "deserialize", "high");
  add(takeFromAnswer(answers), "deserialize", "low");
  return client;
}

function requireClient(client: unknown): void {
  const { middlewareStack } = (client ?? {}) as Partial<SdkClient>;
  if (typeof (middlewareStack as { readonly add?: unknown } | undefined)?.add !== "function")
    throw new EnvelopeError("option-invalid", "keysAsBytes takes a client of the AWS SDK");
}

/** Around the SDK's serializer: it gets the input without the key. */
function withholdFromSerializer(keys: WeakMap<CallContext, Uint8Array>): Middleware {
  return (next, context) => (args) => {
    const member = secretInRequest(context.commandName);
    if (member === null) return next(args);
    const { [member]: key, ...input } = args.input as Readonly<Record<string, unknown>>;
    // Anything but bytes is the SDK's to accept or refuse.
    if (!isBytes(key)) return next(args);
    keys.set(context, key);
    return next({ ...args, input });
  };
}

/**
 * Within the SDK's serializer, outside of what signs and repeats: the request gets the key, and is wiped when the call
 * is over.
 */
function spliceIntoRequest(keys: WeakMap<CallContext, Uint8Array>): Middleware {
  return (next, context) => async (args) => {
    const member = secretInRequest(context.commandName);
    const key = keys.get(context);
    if (member === null || key === undefined) return next(args);
    const { request } = args;
    if (!isRequest(request)) throw new TypeError("keysAsBytes works with HTTP requests of the SDK");
    const body = withBase64Member(bytesOf(request.body), member, key);
    request.body = body;
    try {
      return await next(args);
    } finally {
      body.fill(0);
    }
  };
}

/** Some versions of the SDK make bytes, some a string. */
function bytesOf(body: unknown): Uint8Array {
  if (typeof body === "string") return Buffer.from(body, "utf8");
  if (isBytes(body)) return body;
  throw new TypeError("keysAsBytes works with the AWS JSON protocol of the SDK");
}

/** Within the SDK's deserializer: it gets the answer with an empty string where the key was. */
function takeFromAnswer(keys: WeakMap<CallContext, Buffer>): Middleware {
  return (next, context) => async (args) => {
    const member = secretInAnswer(context.commandName, args.input);
    const result = await next(args);
    if (member === null || !isResponse(result.response) || result.response.statusCode >= FIRST_FAILURE_STATUS)
      return result;
    keys.set(context, await takeMember(result.response, member));
    return result;
  };
}

async function takeMember(response: SdkResponse, member: string): Promise<Buffer> {
  const body = await collectBody(response.body);
  try {
    const { start, end } = findStringMember(body, member);
    const key = readBase64(body.subarray(start, end));
    if (key === null) throw malformed(`has a ${member} that is not base64`);
    response.body = Buffer.concat([body.subarray(0, start), body.subarray(end)]);
    return key;
  } finally {
    body.fill(0);
  }
}

/** Around the SDK's deserializer: its output gets the key. */
function handToCaller(keys: WeakMap<CallContext, Buffer>): Middleware {
  return (next, context) => async (args) => {
    const member = secretInAnswer(context.commandName, args.input);
    if (member === null) return next(args);
    try {
      const result = await next(args);
      const key = keys.get(context);
      // The SDK has parsed the same answer: the member must be where it was found, and empty.
      const output = result.output as Readonly<Record<string, unknown>>;
      if (key === undefined || !isEmpty(output[member]))
        throw malformed(`has a ${member} that the SDK reads otherwise`);
      keys.delete(context);
      return { ...result, output: { ...output, [member]: key } };
    } finally {
      // Still there: the call failed after the key had come.
      keys.get(context)?.fill(0);
      keys.delete(context);
    }
  };
}

function isEmpty(value: unknown): boolean {
  return isBytes(value) && value.length === 0;
}
