import type { Address, PublicKey } from "../address.js";
import { keyAddress } from "../address.js";
import type { Client } from "../client.js";
import { Refusal } from "../refusal.js";

/** How far the time in a credential may be from that of a block, in milliseconds. */
const skew = 60_000;

/** How many rights may rest on one another. */
const maxChain = 5;

/** How many transactions of an account are looked through for its changes of key. */
const maxHistory = 20_000;

const moment = (text: string): number | undefined => (text === "" ? undefined : Date.parse(text));
const clock = (ms: number): string => new Date(ms).toISOString();

/**
 * actedFor checks that a key acted for an account at a time, and returns when it was replaced, undefined if it was not. Refused with
 * credential.issuer_unknown, credential.issuer_frozen, credential.issuer_ruled, credential.wrong_issuer_key.
 */
export async function actedFor(client: Client, account: Address, signer: PublicKey, when: number, signal?: AbortSignal): Promise<number | undefined> {
  const a = await client.account(account, signal);
  if (!a) throw new Refusal("credential.issuer_unknown", `the issuer ${account} has no account on this ledger`);
  if (a.frozen) throw new Refusal("credential.issuer_frozen", `the issuer's account ${account} is frozen by its sponsor; while it is, its credentials are not relied on`);
  if (a.key === "") throw new Refusal("credential.issuer_ruled", `several keys together act for the account ${account}, and a credential is signed by one`);
  const key = keyAddress(signer);
  if (a.key === key) return undefined;
  let until: number | undefined;
  const changes = await keyChanges(client, account, signal);
  for (const c of [...changes, { at: -Infinity, key: account }]) { // the first key made the address
    if (c.key === key && when >= c.at - skew && (until === undefined || when < until + skew)) return until;
    until = c.at;
  }
  throw new Refusal("credential.wrong_issuer_key", `the credential is signed by the key ${key}, which did not act for the issuer ${account} when it was issued: it is forged, or the issuer signed with the wrong key`);
}

/** keyChanges lists when which key began to act for an account, the newest first. */
async function keyChanges(client: Client, account: Address, signal?: AbortSignal): Promise<{ at: number; key: string }[]> {
  const out: { at: number; key: string }[] = [];
  let seen = 0;
  for await (const t of client.history(account, signal)) {
    if (++seen > maxHistory) throw new Refusal("credential.wrong_issuer_key", `the key that signed does not act for the issuer today, and in its last ${maxHistory} transactions is not when it did`);
    for (const e of [...(t.outcome?.events ?? [])].reverse()) {
      const fields = e.fields as Record<string, unknown> | undefined;
      if (e.name === "account.key_rotated" && fields?.["account"] === account) out.push({ at: Date.parse(t.outcome?.time ?? ""), key: String(fields["key"]) });
    }
  }
  return out;
}

interface Held {
  readonly giver: string;
  readonly since: number;
  readonly ends: number;
  readonly depth: number;
  /** When it was ended before its end, and why. */
  readonly over: { readonly at: number; readonly reason: string } | undefined;
}

/**
 * right checks that an account had the right to issue a schema at a time, up to the members, and that it was not taken back for a breach, a mistake or a
 * stolen key since. It returns why it is over now, "" if it is not. Refused with credential.not_licensed. decision 093 says why it is judged so.
 */
export async function right(client: Client, issuer: Address, schema: string, when: number, now: number, signal?: AbortSignal): Promise<string> {
  const refuse = (why: string): never => {
    throw new Refusal("credential.not_licensed", `the issuer ${issuer} had no right to issue ${schema} that counts: ${why}`, { issuer, schema });
  };
  let over = "";
  let below: Held | undefined;
  for (let holder: string = issuer, step = 0; ; step++) {
    const r = await recordOf(client, holder as Address, schema, signal);
    if (!r) return refuse(`nobody gave one to ${holder}`);
    if (step === maxChain) return refuse("too many rights rest on one another");
    if (when < r.since - skew) return refuse(`${holder} has it since ${clock(r.since)}, and the credential is of ${clock(when)}`);
    if (when >= r.ends) return refuse(`that of ${holder} had ended at ${clock(r.ends)}`);
    if (r.over && ((r.over.reason !== "ended" && r.over.reason !== "requested") || when >= r.over.at)) return refuse(`that of ${holder} was taken back at ${clock(r.over.at)} (${r.over.reason})`);
    if (below && (below.since < r.since || r.depth <= below.depth)) return refuse(`it rests on a right of ${holder} that was given later or may not be passed on`);
    if (over === "" && r.over) over = `the right of ${holder} was given up or taken back at ${clock(r.over.at)} (${r.over.reason})`;
    if (over === "" && now >= r.ends) over = `the right of ${holder} ended at ${clock(r.ends)}`;
    if (r.giver === "") return over;
    [holder, below] = [r.giver, r];
  }
}

/** recordOf is the right of a holder, ended with its being an organisation; undefined if it never had one. */
async function recordOf(client: Client, holder: Address, schema: string, signal?: AbortSignal): Promise<Held | undefined> {
  const r = (await client.rights(holder, signal)).find((one) => one.schema === schema);
  if (!r) return undefined;
  const since = Date.parse(r.since);
  const org = await client.organisation(holder, signal);
  const ends: { at: number; reason: string }[] = [];
  const add = (at: number | undefined, reason: string) => at !== undefined && ends.push({ at, reason });
  add(moment(r.revokedAt), r.reason);
  if (!org || (moment(org.since) ?? 0) > since) add(since, "no organisation since");
  const dismissed = org && moment(org.dismissedAt);
  if (dismissed !== undefined && dismissed > since) add(dismissed, org?.dismissReason ?? "");
  ends.sort((a, b) => a.at - b.at);
  return { giver: r.giver, since, ends: Date.parse(r.endsAt), depth: r.depth, over: ends[0] };
}

/** statusOf is an entry of a status list, looked up in the whole list so that the node does not learn which. */
export async function statusOf(client: Client, issuer: Address, list: number, index: number, signal?: AbortSignal): Promise<number> {
  const l = await client.statusList(issuer, list, signal);
  if (!l) throw new Refusal("credential.bad_status_list", `the issuer ${issuer} has no status list ${list} on the ledger, so whether the credential was revoked cannot be told; it is refused`);
  const bits = l.statusList?.bits ?? 0;
  const byte = [1, 2, 4, 8].includes(bits) ? l.entries[Math.floor((index * bits) / 8)] : undefined;
  if (byte === undefined) throw new Refusal("credential.status_out_of_range", `the credential has entry ${index}, which its status list does not have; whether it was revoked cannot be told, so it is refused`);
  return (byte >> ((index * bits) % 8)) & ((1 << bits) - 1);
}
