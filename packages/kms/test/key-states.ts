// What the page docs/kms.md says of operations and key states; test/operations/key-states.test.ts asks the server.

import { STATE_RULES } from "../src/keys/key-rules.ts";

export type StateName = "disabled" | "pendingDeletion" | "pendingImport";

/** The states of the page's table, in its order. */
export const KEY_STATES: readonly { readonly name: StateName; readonly shownAs: string }[] = [
  { name: "disabled", shownAs: "disabled" },
  { name: "pendingDeletion", shownAs: "pending deletion" },
  { name: "pendingImport", shownAs: "pending import" },
];

/** Whether an operation is admitted on a key in the state; null for one that is about no existing key. */
export function admits(operation: string, state: StateName): boolean | null {
  // It has a check of its own, for the one state that it leaves.
  if (operation === "CancelKeyDeletion") return state === "pendingDeletion";
  if (!Object.hasOwn(STATE_RULES, operation)) return null;
  return STATE_RULES[operation as keyof typeof STATE_RULES][state];
}
