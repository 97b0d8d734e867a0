/**
 * Erasures of people, their certificates, and legal holds. Looking needs the scope `read`, everything else `admin`. The
 * names of people are in bodies, never in a URL.
 */
import type { Answers } from "./api-types.ts";
import type { Caller, CallOptions } from "./call.ts";

/** Somebody by name, and why: a code. */
export type EraseRequest = Answers["EraseRequest"];
/** What became of an erasure; `erasing`: it is half done, and goes on by itself. */
export type ErasureResult = Answers["ErasureAnswer"];
/** Erasures that are not done. */
export type ErasureUnderWay = Answers["ErasuresAnswer"]["erasures"][number];
/** A legal hold. */
export type Hold = Answers["HoldAnswer"];
/** A certificate, and the verifier key that it was signed by. */
export type Certificate = Answers["CertificateAnswer"];

/** Erasures. Every method throws ClientError. */
export interface Erasures {
  /**
   * Erases somebody by name. Throws `subject-absent`, `subject-held`, `subject-shared`.
   *
   * @example
   * ```ts
   * import { createClient } from "@strongroom/client";
   *
   * async function eraseMyAccount(url: string, token: string, subject: string): Promise<string | null> {
   *   const { erasure } = createClient({ url, token });
   *   return (await erasure.erase({ subject, reason: "art-17" })).certificate;
   * }
   * console.log(typeof eraseMyAccount); // prints: function
   * ```
   */
  erase(request: EraseRequest, options?: CallOptions): Promise<ErasureResult>;
  /** The same by the opaque id. */
  erasePerson(person: string, reason: string, options?: CallOptions): Promise<ErasureResult>;
  underWay(options?: CallOptions): Promise<readonly ErasureUnderWay[]>;
  certificate(person: string, options?: CallOptions): Promise<Certificate>;
  holds(options?: CallOptions): Promise<readonly Hold[]>;
  hold(request: EraseRequest, options?: CallOptions): Promise<Hold>;
  /** The same by the opaque id, of somebody who is known. Throws `subject-absent`. */
  holdPerson(person: string, reason: string, options?: CallOptions): Promise<Hold>;
  liftHold(hold: string, reason: string, options?: CallOptions): Promise<Hold>;
}

/** The calls about erasures. */
export function erasureOf({ answer }: Caller): Erasures {
  const inPath = (id: string): { readonly params: { readonly path: { readonly id: string } } } => ({
    params: { path: { id } },
  });
  return {
    erase: (body, options = {}) =>
      answer("ErasureAnswer", options, (http, init) => http.POST("/v1/subjects/erase", { ...init, body }), "writes"),
    erasePerson: (person, reason, options = {}) =>
      answer(
        "ErasureAnswer",
        options,
        (http, init) => http.DELETE("/v1/subjects/{id}", { ...init, ...inPath(person), body: { reason } }),
        "writes",
      ),
    underWay: async (options = {}) =>
      (await answer("ErasuresAnswer", options, (http, init) => http.GET("/v1/erasures", init))).erasures,
    certificate: (person, options = {}) =>
      answer("CertificateAnswer", options, (http, init) =>
        http.GET("/v1/subjects/{id}/certificate", { ...init, ...inPath(person) }),
      ),
    holds: async (options = {}) =>
      (await answer("HoldsAnswer", options, (http, init) => http.GET("/v1/holds", init))).holds,
    hold: (body, options = {}) =>
      answer("HoldAnswer", options, (http, init) => http.POST("/v1/holds", { ...init, body }), "writes"),
    holdPerson: (person, reason, options = {}) =>
      answer(
        "HoldAnswer",
        options,
        (http, init) => http.POST("/v1/subjects/{id}/holds", { ...init, ...inPath(person), body: { reason } }),
        "writes",
      ),
    liftHold: (hold, reason, options = {}) =>
      answer(
        "HoldAnswer",
        options,
        (http, init) => http.POST("/v1/holds/{id}/lift", { ...init, ...inPath(hold), body: { reason } }),
        "writes",
      ),
  };
}
