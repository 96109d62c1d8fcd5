import { type Address, formatAddress, parseAddress } from "../address.js";
import { Refusal } from "../refusal.js";

/** An account of a network: did:dure:NETWORK:0xACCOUNT. */
export interface Id {
  readonly network: string;
  readonly account: Address;
}

const badName = (text: unknown, what: string) => new Refusal("credential.bad_name", `${JSON.stringify(text)?.slice(0, 100)} names no ${what}`);

export const idName = (id: Id): string => `did:dure:${id.network}:${id.account}`;
export const schemaName = (network: string, schema: string): string => `did:dure:${network}/schema/${schema}`;
export const listName = (issuer: Id, list: number): string => `${idName(issuer)}/status/${list}`;

/** parseId reads what idName writes, with the capitals of the address, and nothing else. */
export function parseId(text: unknown): Id {
  const [, network, account] = /^did:dure:([a-z0-9][a-z0-9-]{0,99}):(0x[0-9a-fA-F]{40})$/.exec(String(text)) ?? [];
  try {
    if (network && account && formatAddress(parseAddress(account)) === account) return { network, account };
  } catch {
    // refused below
  }
  throw badName(text, "account of a ledger");
}

/** parseSchema reads what schemaName writes. */
export function parseSchema(text: unknown): { network: string; schema: string } {
  const [, network, schema] = /^did:dure:([a-z0-9][a-z0-9-]{0,99})\/schema\/([a-z][a-z0-9._-]{0,63})$/.exec(String(text)) ?? [];
  if (network && schema) return { network, schema };
  throw badName(text, "schema of a ledger");
}

/** parseList reads what listName writes. */
export function parseList(text: unknown): { issuer: Id; list: number } {
  const [, issuer, digits] = /^(.*)\/status\/([1-9][0-9]{0,9})$/.exec(String(text)) ?? [];
  if (issuer && Number(digits) <= 0xffffffff) return { issuer: parseId(issuer), list: Number(digits) };
  throw badName(text, "status list of a ledger");
}
