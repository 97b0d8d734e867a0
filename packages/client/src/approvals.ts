/**
 * What one principal asks for and another one approves, each as its token's own. Looking needs the scope `read`, asking
 * and approving `admin`.
 */
import type { Answers } from "./api-types.ts";
import type { Caller, CallOptions } from "./call.ts";

/** What is to be done, and on what. */
export type ApprovedAct = Answers["ApprovalRequest"];
/** A request, and who has approved it. */
export type Approval = Answers["ApprovalAnswer"];

/** Requests and approvals. Every method throws ClientError. */
export interface Approvals {
  /** Those that count still. */
  list(options?: CallOptions): Promise<readonly Approval[]>;
  /** Asks for it; what was asked for before stays as it is. */
  request(act: ApprovedAct, options?: CallOptions): Promise<Approval>;
  /**
   * Approves it. Throws `approval-absent`, and `approval-own` for whoever has asked.
   *
   * @example
   * ```ts
   * import { createClient } from "@strongroom/client";
   *
   * async function approveRetirement(url: string, token: string, key: string): Promise<string | null> {
   *   const { approvals } = createClient({ url, token });
   *   return (await approvals.approve({ action: "retire-key", target: key })).approvedAt;
   * }
   * console.log(typeof approveRetirement); // prints: function
   * ```
   */
  approve(act: ApprovedAct, options?: CallOptions): Promise<Approval>;
  /** Takes a request back, approved or not; those that count still. */
  withdraw(act: ApprovedAct, options?: CallOptions): Promise<readonly Approval[]>;
}

/** The calls about approvals. */
export function approvalsOf({ answer }: Caller): Approvals {
  return {
    list: async (options = {}) =>
      (await answer("ApprovalsAnswer", options, (http, init) => http.GET("/v1/approvals", init))).approvals,
    request: (body, options = {}) =>
      answer("ApprovalAnswer", options, (http, init) => http.POST("/v1/approvals", { ...init, body }), "writes"),
    approve: (body, options = {}) =>
      answer(
        "ApprovalAnswer",
        options,
        (http, init) => http.POST("/v1/approvals/approve", { ...init, body }),
        "writes",
      ),
    withdraw: async (body, options = {}) =>
      (
        await answer(
          "ApprovalsAnswer",
          options,
          (http, init) => http.POST("/v1/approvals/withdraw", { ...init, body }),
          "writes",
        )
      ).approvals,
  };
}
