/**
 * Tokens kept in one file: made, listed, revoked, and verified in constant time. A change by another process (the
 * command, on a running service) is seen within a second.
 */
import { randomBytes } from "node:crypto";
import { ServerError } from "../errors.ts";
import { changeTokenFile, readTokenFile, ROLE_NAME, tokenFileStamp } from "./token-file.ts";
import type { TokenRecord } from "./token-file.ts";
import { hashToken, newToken, sameHash, SCOPES } from "./token.ts";
import type { Scope, TokenIdentity, TokenVerifier } from "./token.ts";

/** A token that was made. */
export interface NewToken {
  /** The token itself: shown this once, kept nowhere. */
  readonly token: string;
  readonly identity: TokenIdentity;
}

/** What a token is made with: one scope or one role at least. */
export interface NewTokenOptions {
  /** For a person to read. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Names of roles of the vault's policy. One that the policy does not have allows nothing. */
  readonly roles?: readonly string[];
}

/** What may be shown of a token. */
export interface TokenInfo extends TokenIdentity {
  readonly createdAt: string;
}

/** The tokens of a file. */
export interface FileTokens extends TokenVerifier {
  /** @throws ServerError `option-invalid`, `tokens-unreadable` */
  create(options: NewTokenOptions): Promise<NewToken>;
  list(): Promise<readonly TokenInfo[]>;
  /** @throws ServerError `token-absent` */
  revoke(id: string): Promise<TokenInfo>;
}

/** How long a look at the file is good for, in milliseconds: the longest time that a revoked token still works. */
const RECHECK_MS = 1000;

/**
 * The tokens of a file; none when there is no file.
 *
 * @throws ServerError `tokens-unreadable` when the file is there and not valid: a service must not start without
 *   knowing whom it may answer. When it becomes so later, every token is refused until it is right again.
 * @example
 * ```ts
 * import { fileTokens } from "@strongroom/server";
 *
 * const tokens = await fileTokens("tokens.json");
 * const { token, identity } = await tokens.create({ name: "example", scopes: ["read"] });
 * console.log((await tokens.verify(token))?.id === identity.id); // prints: true
 * await tokens.revoke(identity.id);
 * ```
 */
export async function fileTokens(path: string): Promise<FileTokens> {
  const tokens = new TokensInFile(path);
  await tokens.list();
  return tokens;
}

class TokensInFile implements FileTokens {
  readonly #path: string;
  #records: readonly TokenRecord[] = [];
  #stamp: string | null = null;
  #checkedAt = -Infinity;
  /** Looks at the file, numbered as they began: the last one begun, and the one whose answer is kept. */
  #begun = 0;
  #kept = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async create({ name, scopes, roles = [] }: NewTokenOptions): Promise<NewToken> {
    if (scopes.length + roles.length === 0 || !scopes.every((scope) => SCOPES.includes(scope)))
      throw new ServerError("option-invalid", `A token has one or more of the scopes ${SCOPES.join(", ")}, or roles`);
    if (!roles.every((role) => ROLE_NAME.test(role)))
      throw new ServerError("option-invalid", "A role's name is a small letter, then up to 62 of a-z 0-9 -");
    const token = newToken();
    const own = roles.length === 0 ? {} : { roles: [...new Set(roles)] };
    const identity = { id: randomBytes(6).toString("hex"), name, scopes: [...new Set(scopes)], ...own };
    await this.#change((records) => [
      ...records,
      { ...identity, hash: hashToken(token), createdAt: new Date().toISOString() },
    ]);
    return { token, identity };
  }

  async list(): Promise<readonly TokenInfo[]> {
    await this.#reload();
    return this.#records.map(info);
  }

  async revoke(id: string): Promise<TokenInfo> {
    let revoked: TokenRecord | undefined;
    await this.#change((records) => {
      revoked = records.find((record) => record.id === id);
      if (revoked === undefined) throw new ServerError("token-absent", "There is no token with this id");
      return records.filter((record) => record !== revoked);
    });
    if (revoked === undefined) throw new ServerError("token-absent", "There is no token with this id");
    return info(revoked);
  }

  async verify(token: string): Promise<TokenIdentity | null> {
    if (performance.now() - this.#checkedAt > RECHECK_MS) await this.#refresh();
    const found = sameHash(this.#records, hashToken(token));
    return found === null ? null : identityOf(found);
  }

  async #change(change: (records: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    await changeTokenFile(this.#path, change);
    await this.#reload();
  }

  async #refresh(): Promise<void> {
    const stamp = await tokenFileStamp(this.#path);
    if (stamp === this.#stamp) this.#checkedAt = performance.now();
    else await this.#reload();
  }

  async #reload(): Promise<void> {
    const turn = ++this.#begun;
    // The stamp first: a change between the two reads is then seen again, not missed.
    const stamp = await tokenFileStamp(this.#path);
    const records = await readTokenFile(this.#path);
    // Threat: a look at the file that began before a token was revoked and ends after it would let the token in again.
    if (turn < this.#kept) return;
    this.#kept = turn;
    this.#records = records;
    this.#stamp = stamp;
    this.#checkedAt = performance.now();
  }
}

/** A copy: whoever is told a token's scopes cannot add to them. */
function identityOf({ id, name, scopes, roles }: TokenRecord): TokenIdentity {
  return { id, name, scopes: [...scopes], ...(roles === undefined ? {} : { roles: [...roles] }) };
}

function info(record: TokenRecord): TokenInfo {
  return { ...identityOf(record), createdAt: record.createdAt };
}
