/**
 * A fetch whose answers end: at a length, counted as they come out of their compression, so that a few kilobytes cannot
 * become gigabytes here; and with the request's signal, whatever the platform's fetch makes of it.
 */
import { ClientError } from "./errors.ts";

/** What gives an answer to a request. */
export type Fetch = (request: Request) => Promise<Response>;

/** Makes it. An answer that is longer than `most` bytes is ended with ClientError `answer-too-large`. */
export function boundedFetch(fetch: Fetch, most: number): Fetch {
  return async (request) => {
    const response = await fetch(request);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    if (Number(headers.get("content-length")) > most) {
      await body.cancel().catch(() => undefined);
      throw tooLarge(most);
    }
    return new Response(body.pipeThrough(counted(most), { signal: request.signal }), { status, statusText, headers });
  };
}

/** The same, but for an answer that is a stream of events: whoever reads it looks at the length of each. */
export function streamFetch(fetch: Fetch, most: number): Fetch {
  return async (request) => {
    const response = await fetch(request);
    return isEventStream(response) ? response : boundedFetch(async () => response, most)(request);
  };
}

/** Whether it is one that goes on. */
export function isEventStream({ ok, headers }: Response): boolean {
  return ok && /^text\/event-stream(?:;|$)/i.test(headers.get("content-type") ?? "");
}

function counted(most: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let length = 0;
  return new TransformStream({
    transform(part, controller) {
      length += part.byteLength;
      if (length > most) throw tooLarge(most);
      controller.enqueue(part);
    },
  });
}

function tooLarge(most: number): ClientError {
  return new ClientError("answer-too-large", { detail: `It is longer than ${most.toLocaleString("en")} bytes.` });
}
