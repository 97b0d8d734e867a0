// The service as a move writes to it: with a token, within its limits and its audit, as any other of its clients.
import { type Client, isClientError } from "@strongroom/client";
import { isOfOneRecord, type MoveTarget, type WriteOutcome } from "@strongroom/vault/moving";
import { withRetries } from "../transfer/retry.ts";

/** How long the service may be away, in milliseconds. */
const RETRY_MS = 60_000;

/** A collection of the service. What is wrong with the service is thrown as the client throws it. */
export function clientTarget(client: Client, collection: string, signal: AbortSignal): MoveTarget {
  const retried = <Result>(send: () => Promise<Result>, repeat: "any" | "known-unstored"): Promise<Result> =>
    withRetries(send, { retryForMs: RETRY_MS, repeat, signal });
  return {
    read: (id) =>
      retried(async () => {
        const found = await unlessAbsent(client.records.get(collection, id));
        return found === null ? null : { version: found.version, document: found.document as never };
      }, "any"),
    create: async (items) => {
      const given = items.map(({ id, document, subject }) => ({
        id,
        document,
        ...(subject === null ? {} : { subject }),
      }));
      // What was stored by a request whose answer was lost is `kept` when it is sent again, and then compared.
      const results = await retried(() => client.records.putMany(collection, given, { onExisting: "keep" }), "any");
      return results.map(({ outcome, code }) =>
        outcome === "refused" ? { refused: code ?? "refused" } : outcome === "created" ? "made" : "overtaken",
      );
    },
    put: ({ id, document, subject }, version) =>
      outcomeOf(() =>
        retried(
          () =>
            client.records.put(collection, id, document, {
              ...(subject === null ? {} : { subject }),
              ...(version === null ? { ifAbsent: true } : version === "any" ? {} : { ifVersion: version }),
            }),
          // On a known version it is made once, however often it is sent.
          version === "any" ? "known-unstored" : "any",
        ),
      ),
    remove: (id, version) =>
      outcomeOf(() =>
        retried(
          () =>
            version === "any"
              ? unlessAbsent(client.records.remove(collection, id))
              : client.records.remove(collection, id, { ifVersion: version }),
          "any",
        ),
      ),
    ids: async function* () {
      try {
        for await (const page of client.records.list(collection).pages()) yield page.items.map(({ id }) => id);
      } catch (error) {
        if (!isClientError(error) || error.code !== "collection-absent") throw error;
      }
    },
  };
}

/** Null: there is no such record. */
async function unlessAbsent<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (isClientError(error) && error.code === "record-absent") return null;
    throw error;
  }
}

async function outcomeOf(write: () => Promise<unknown>): Promise<WriteOutcome> {
  try {
    await write();
    return "made";
  } catch (error) {
    if (!isClientError(error)) throw error;
    const { reportedCode: code } = error;
    if (code === "version-conflict" || code === "record-contended" || code === "record-absent") return "overtaken";
    if (isOfOneRecord(code)) return { refused: code };
    throw error;
  }
}
