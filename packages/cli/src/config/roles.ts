// The form of `roles`: what tokens with roles may. The vault reads them, and all that is wrong is told with the file.
import { isVaultError, parseRoles, type RolesOptions } from "@strongroom/vault";
import { z } from "zod";

/** `roles` alone. */
export const roleDeclarations: z.ZodType<RolesOptions> = z
  .custom<RolesOptions>((given) => typeof given === "object" && given !== null, "must be an object of roles")
  .superRefine((given, context) => {
    try {
      parseRoles(given);
    } catch (error) {
      if (!isVaultError(error)) throw error;
      for (const message of error.message.replace(/^roles: /, "").split("; "))
        context.addIssue({ code: "custom", message });
    }
  });
