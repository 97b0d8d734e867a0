// A key set that is put in force is an act of administration: it is in the audit before it is done, and so is what came
// of it.
import { type GateKeySets, isVaultError, type VaultAudit } from "@strongroom/vault";
import type { KeyedRole } from "../store/which.ts";

/** The key sets of each store, as its gate has them. */
export type Gates = Readonly<Record<KeyedRole, GateKeySets>>;

/** The key sets of a store, whose change is told. */
export function auditedKeySets(audit: VaultAudit | null, role: KeyedRole, sets: GateKeySets): GateKeySets {
  return {
    status: () => sets.status(),
    flip: async () => {
      if (audit === null) return sets.flip();
      const { epoch } = await sets.status();
      const facts = { details: { store: role, epoch } };
      await audit.tell("flip-key-set", "begun", facts);
      try {
        const status = await sets.flip();
        // It was done, and that it was begun is in the audit.
        const done = { details: { store: role, epoch: status.epoch, inForce: status.inForce } };
        await audit.tell("flip-key-set", "done", done).catch(nothing);
        return status;
      } catch (error) {
        await audit.tell("flip-key-set", isVaultError(error) ? error.code : "failed", facts).catch(nothing);
        throw error;
      }
    },
  };
}

const nothing = (): void => undefined;
