// The vault of the application: what it keeps of its customers, by what they are found, who sees what of them.
import type { Keyring } from "@strongroom/envelope";
import { type AppVault, type AuditLog, createVault, type KeyStore, type Store } from "@strongroom/vault";
import { email, phone } from "@strongroom/vault/normalisers";
import { z } from "zod";

/** A customer, as the application writes one. */
export const customer = z.strictObject({
  name: z.string().min(1).max(200),
  email: z.email().max(320),
  phone: z.string().max(40).optional(),
});

const collections = {
  customers: {
    schema: customer,
    fields: {
      name: { mask: "name" },
      email: { find: email(), unique: true, mask: "email" },
      phone: { find: phone({ country: "DE" }), mask: "phone" },
    },
  },
} as const;

/** A customer. */
export type Customer = z.input<typeof customer>;

/** The vault, with its collections by name. */
export type CustomerVault = AppVault<typeof collections>;

/** Where it lies, and what wraps its keys. */
export interface VaultPlaces {
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly log: AuditLog;
  readonly keyring: Keyring;
}

/** Opens it. Close it when the application ends. */
export function openCustomers({ store, keyStore, log, keyring }: VaultPlaces): Promise<CustomerVault> {
  return createVault({
    store,
    keyring,
    keys: { store: keyStore },
    audit: { log, principal: "app" },
    collections,
    roles: {
      // Finds a customer by the address that they gave on the telephone, and sees enough to know whether it is they.
      support: {
        grants: [{ collection: "customers", fields: ["*"], actions: ["read:masked", "find:email"] }],
      },
    },
  });
}
