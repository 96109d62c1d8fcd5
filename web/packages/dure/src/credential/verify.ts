import type { Address } from "../address.js";
import type { Client } from "../client.js";
import { Refusal } from "../refusal.js";
import { type Audience, type Credential, readCredential, time } from "./credential.js";
import { verifyJws } from "./jws.js";
import { actedFor, right, statusOf } from "./ledger.js";
import { digest } from "./sdjwt.js";

/** How far two clocks may differ, and how old a presentation may be unless a verifier says otherwise; milliseconds. */
const skew = 60_000;
const defaultAge = 300_000;

/** What a verifier wants. */
export interface Check {
  /** The name and nonce of the request. Without it the credential alone is verified, and nothing says who shows it. */
  readonly to?: Audience;
  /** Schemas that are accepted; none: any. */
  readonly schemas?: readonly string[];
  /** Issuers that are accepted; none: whoever the ledger gave the right. */
  readonly issuers?: readonly Address[];
  /** Of the holder's signature, in milliseconds; 5 minutes. */
  readonly maxAge?: number;
  /** Unix milliseconds; the clock's. */
  readonly now?: number;
}

/** A credential that holds. */
export interface VerifiedCredential {
  readonly credential: Credential;
  /** Its holder has shown it, for the audience and nonce asked for. */
  readonly presented: boolean;
  /** When the issuer replaced the key that signed it; undefined: it acts today. */
  readonly keyReplaced: number | undefined;
  /** Why the issuer could not issue it today; "" if it could. It was allowed to when it did. */
  readonly over: string;
}

/**
 * verifyCredential verifies a credential or a presentation at nodes, whose word it takes: that it is whole and in its time, signed by the key that acted for its
 * issuer, that the issuer had the right to issue it, that it was not revoked and, with check.to, that its holder shows it. The refusals have the codes of
 * docs/credentials.md. The ledger is told nothing but the issuer and the number of its list.
 */
export async function verifyCredential(client: Client, text: string, check: Check = {}, signal?: AbortSignal): Promise<VerifiedCredential> {
  const c = readCredential(text);
  const now = check.now ?? Date.now();
  verifyJws(c.token.issued, c.signer, "dc+sd-jwt", "vc+sd-jwt");
  await wanted(client, c, check);
  checkTimes(c, now);
  if (check.to) checkHolder(c, check.to, now, check.maxAge ?? defaultAge);
  const keyReplaced = await actedFor(client, c.issuer.account, c.signer, c.issued, signal);
  const over = await right(client, c.issuer.account, c.schema, c.issued, now, signal);
  if (c.status) checkStatus(await statusOf(client, c.issuer.account, c.status.list, c.status.index, signal));
  return { credential: c, presented: check.to !== undefined, keyReplaced, over };
}

async function wanted(client: Client, c: Credential, check: Check): Promise<void> {
  const network = await client.network();
  if (c.issuer.network !== network) throw new Refusal("credential.wrong_network", `the credential is from the ledger ${c.issuer.network}, and you verify by ${network}`);
  if (check.schemas?.length && !check.schemas.includes(c.schema)) throw new Refusal("credential.wrong_schema", `the credential is a ${c.schema}; ${check.schemas.join(" or ")} is wanted here`);
  if (check.issuers?.length && !check.issuers.includes(c.issuer.account)) throw new Refusal("credential.wrong_issuer", `the credential is by ${c.issuer.account}, whom you do not accept`);
}

function checkTimes(c: Credential, now: number): void {
  const begins = c.notBefore ?? c.issued;
  if (now + skew < begins) throw new Refusal("credential.not_yet_valid", `the credential is valid from ${new Date(begins).toISOString()} on`);
  if (c.expires !== undefined && now >= c.expires) throw new Refusal("credential.expired", `the credential's time was over at ${new Date(c.expires).toISOString()}; ask the issuer for a new one`);
}

/** checkHolder checks the key binding (RFC 9901, section 7.3). */
function checkHolder(c: Credential, to: Audience, now: number, maxAge: number): void {
  const { binding, unbound } = c.token;
  if (!c.holder || !binding) throw new Refusal("credential.not_bound", "the holder has not signed the presentation, so whoever has a copy could show it");
  try {
    verifyJws(binding, c.holder, "kb+jwt");
  } catch (err) {
    if (err instanceof Refusal && err.code === "credential.bad_signature") throw new Refusal("credential.wrong_holder", "the presentation is not signed by the key that the issuer bound the credential to: who shows it is not its holder");
    throw err;
  }
  const claims = binding.payload;
  if (claims["aud"] !== to.audience) throw new Refusal("credential.wrong_audience", "the presentation was made for another verifier; it may have been passed on");
  if (claims["nonce"] !== to.nonce) throw new Refusal("credential.wrong_nonce", "the presentation answers another request; it may be a replay");
  if (claims["sd_hash"] !== digest(unbound)) throw new Refusal("credential.altered", "what is disclosed is not what the holder signed: something was added or left out since");
  const at = time(claims, "iat");
  if (at === undefined || at > now + skew || at < now - maxAge - skew) throw new Refusal("credential.stale", "the holder did not sign the presentation just now; ask for a new one, and check the clocks");
}

function checkStatus(status: number): void {
  if (status === 0) return;
  if (status === 2) throw new Refusal("credential.suspended", "the issuer has suspended the credential; ask the issuer why, and verify it again later");
  throw new Refusal("credential.revoked", "the issuer has revoked the credential; it is worth nothing any more");
}
