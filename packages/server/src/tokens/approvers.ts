/**
 * Those by whom the restore of a backup is approved. A backup has no tokens, so that none that was revoked comes back:
 * with this list two administrators are known all the same, and it is good for nothing else.
 */
import { principalOf } from "../audit/actor.ts";
import { readTokenFile } from "./token-file.ts";
import { hashToken, hasScope, sameHash } from "./token.ts";

/** A token with the scope `admin`, without its name. */
export interface Approver {
  /** As the audit calls it: `token:ID`. */
  readonly principal: string;
  /** The same for tokens of one name, which are taken for one person's. */
  readonly holder: number;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
}

/**
 * Those of a file of tokens; none when there is no file.
 *
 * @param path a `tokens.json`
 * @throws ServerError `tokens-unreadable`
 * @example
 * ```ts
 * import { approversIn, fileTokens } from "@strongroom/server";
 *
 * const tokens = await fileTokens("tokens.json");
 * await tokens.create({ name: "ann", scopes: ["admin"] });
 * await tokens.create({ name: "a reader", scopes: ["read"] });
 * console.log((await approversIn("tokens.json")).length); // prints: 1
 * ```
 */
export async function approversIn(path: string): Promise<readonly Approver[]> {
  const records = (await readTokenFile(path)).filter((record) => hasScope(record, "admin"));
  const names = [...new Set(records.map(({ name }) => name))];
  return records.map(({ id, name, hash }) => ({ principal: principalOf(id), holder: names.indexOf(name), hash }));
}

/**
 * Whose token it is, compared in constant time; null: nobody's.
 *
 * @param token as its owner has it
 * @example
 * ```ts
 * import { approversIn, fileTokens, findApprover } from "@strongroom/server";
 *
 * const tokens = await fileTokens("tokens.json");
 * const { token, identity } = await tokens.create({ name: "ann", scopes: ["admin"] });
 * const approvers = await approversIn("tokens.json");
 * console.log(findApprover(approvers, token)?.principal === `token:${identity.id}`); // prints: true
 * console.log(findApprover(approvers, "another")); // prints: null
 * ```
 */
export function findApprover(approvers: readonly Approver[], token: string): Approver | null {
  return sameHash(approvers, hashToken(token));
}
