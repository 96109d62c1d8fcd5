import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";

import { type Address, type PublicKey, parseAddress } from "./address.js";
import { RuleSchema } from "./gen/dure/account/v1/account_pb.js";
import type { Account, AccountRule } from "./gen/dure/api/v1/api_pb.js";
import { type Action, ActionSchema } from "./gen/dure/tx/v1/tx_pb.js";
import { action } from "./transaction.js";

/** How long a proposal is open unless said otherwise, in milliseconds. */
export const proposalValidity = 14 * 24 * 3600 * 1000;

/** Several keys that act for an account together: docs/accounts.md. */
export interface Rule {
  readonly keys: readonly { readonly key: Address; readonly weight: number }[];
  /** The weight that each kind of action takes. */
  readonly spend: number;
  readonly manage: number;
  readonly other: number;
  readonly limits?: readonly { asset: string; perTransaction?: string; perWindow?: string; windowMs?: bigint; waitOver?: string }[];
  readonly receivers?: readonly Address[];
  readonly waitMs?: bigint;
  readonly manageWaits?: boolean;
}

/** Who may bring a new key to an account whose key is lost: docs/recovery.md. */
export interface RecoveryRules {
  readonly guardians: readonly Address[];
  /** How many of them must agree; 0 without guardians. */
  readonly threshold: number;
  /** How long the account may object: one hour to 30 days. */
  readonly waitMs: bigint;
  /** Lets the sponsor recover it alone. */
  readonly sponsor: boolean;
}

/** setRule puts a rule over keys in the place of what acts for an account. Keys that do not act for it yet sign too. */
export function setRule(account: Address, rule: Rule): Action {
  const plain: MessageInitShape<typeof RuleSchema> = {
    spend: rule.spend, manage: rule.manage, other: rule.other, waitMs: rule.waitMs ?? 0n, manageWaits: rule.manageWaits ?? false,
    keys: rule.keys.map((k) => ({ key: parseAddress(k.key), weight: k.weight })),
    limits: (rule.limits ?? []).map((l) => ({ ...l })),
    receivers: (rule.receivers ?? []).map(parseAddress),
  };
  return action(account, { case: "accountSetRule", value: { rule: create(RuleSchema, plain) } });
}

/** ruleOf is the rule of an account, to be changed and set anew; of one with a single key the rule that says the same. */
export function ruleOf(account: Account): Rule {
  const r = account.rule;
  if (!r) return { keys: [{ key: account.key as Address, weight: 1 }], spend: 1, manage: 1, other: 1 };
  return {
    keys: r.keys.map((k) => ({ key: k.key as Address, weight: k.weight })), spend: r.spend, manage: r.manage, other: r.other,
    limits: r.limits.map(({ asset, perTransaction, perWindow, windowMs, waitOver }) => ({ asset, perTransaction, perWindow, windowMs, waitOver })),
    receivers: r.receivers as Address[], waitMs: r.waitMs, manageWaits: r.manageWaits,
  };
}

/**
 * withoutKey is a rule without one of its keys; undefined if the others could not do everything any more: spend, manage and
 * everything else.
 */
export function withoutKey(rule: Rule, key: Address): Rule | undefined {
  const keys = rule.keys.filter((k) => k.key !== key);
  const left = keys.reduce((sum, k) => sum + k.weight, 0);
  return keys.length > 0 && left >= Math.max(rule.spend, rule.manage, rule.other) ? { ...rule, keys } : undefined;
}

/** weightOf is what a key weighs in an account; 0 if it does not act for it. */
export function weightOf(account: Account, key: Address): number {
  if (!account.rule) return account.key === key ? 1 : 0;
  return account.rule.keys.find((k) => k.key === key)?.weight ?? 0;
}

/** mustPropose says whether actions of an account cannot happen at once by one of its keys: others have to approve, or they have to wait. */
export function mustPropose(account: Account, key: Address, actions: readonly Action[]): boolean {
  const rule = account.rule;
  if (!rule) return false;
  const kinds = actions.map(kindOf);
  const needed = Math.max(1, ...kinds.map((k) => (k === "alone" ? 1 : rule[k])));
  return weightOf(account, key) < needed || (rule.manageWaits && kinds.includes("manage")) || waits(rule, actions);
}

/** waits says whether an asset is spent over the bound from which payments wait. */
function waits(rule: AccountRule, actions: readonly Action[]): boolean {
  return rule.limits.some((l) => {
    const spent = actions.reduce((sum, { call }) => {
      const value = call.value as { asset?: string; amount?: string } | undefined;
      return value?.asset === l.asset && value.amount ? sum + BigInt(value.amount) : sum;
    }, 0n);
    return l.waitOver !== "" && spent > BigInt(l.waitOver);
  });
}

const spending = new Set(["assetTransfer", "assetIssue", "assetRedeem", "assetHold", "assetRelease", "streamFund"]);
const managing = new Set(["accountSetRule", "accountRotateKey", "accountUnlock", "accountSetRecovery", "accountObjectRecovery", "accountSetSponsor"]);
const byAnyKey = new Set(["accountPropose", "accountApprove", "accountWithdraw", "accountExecute", "accountLock", "accountAppeal"]);

/** kindOf says which weight of a rule an action takes; "alone": any one key may do it. */
function kindOf(a: Action): "spend" | "manage" | "other" | "alone" {
  const name = a.call.case ?? "";
  return spending.has(name) ? "spend" : managing.has(name) ? "manage" : byAnyKey.has(name) ? "alone" : "other";
}

/** propose makes of actions of one account a proposal for the keys of its rule to approve. The reason, at most 256 bytes, is public. */
export function propose(account: Address, actions: readonly Action[], reason: string, expires: number): Action {
  const serialised = actions.map((a) => toBinary(ActionSchema, a));
  return action(account, { case: "accountPropose", value: { actions: serialised, reason, expiresAt: BigInt(Math.floor(expires)) } });
}

/** approve approves a proposal with the keys that sign. When they are enough it happens at once, unless it has to wait. */
export const approve = (account: Address, proposal: bigint): Action => action(account, { case: "accountApprove", value: { proposal } });

/** withdraw takes the approvals of the keys that sign back, or ends a proposal when its proposer signs, or as many as managing takes. */
export const withdraw = (account: Address, proposal: bigint): Action => action(account, { case: "accountWithdraw", value: { proposal } });

/** execute does what enough keys have approved, such as after it has waited. */
export const execute = (account: Address, proposal: bigint): Action => action(account, { case: "accountExecute", value: { proposal } });

/** lockAccount stops an account that has a rule from doing anything but managing its keys; unlockAccount lets it act again. */
export const lockAccount = (account: Address, reason: string): Action => action(account, { case: "accountLock", value: { reason } });
export const unlockAccount = (account: Address): Action => action(account, { case: "accountUnlock", value: {} });

/**
 * setRecovery sets who may recover an account. It takes effect when the waiting time in force has passed, or at once if those who may
 * recover the account now sign too.
 */
export function setRecovery(account: Address, r: RecoveryRules): Action {
  const rules = { guardians: r.guardians.map(parseAddress), threshold: r.threshold, waitMs: r.waitMs, sponsor: r.sponsor };
  return action(account, { case: "accountSetRecovery", value: { rules } });
}

/** recover begins a recovery: by is a guardian or the sponsor, and the new key signs too. */
export function recover(p: { account: Address; by: Address; to: PublicKey }): Action {
  return action(p.by, { case: "accountRecover", value: { account: parseAddress(p.account), kind: p.to.kind, publicKey: p.to.bytes } });
}

/** What the other steps of a recovery name: the account, the address of the new key, and who acts. */
interface Step {
  readonly account: Address;
  readonly key: Address;
  readonly by: Address;
}

const step = (p: Step) => ({ account: parseAddress(p.account), key: parseAddress(p.key) });

/** agreeRecovery is a guardian's agreement to a recovery that has been begun. */
export const agreeRecovery = (p: Step): Action => action(p.by, { case: "accountAgreeRecovery", value: step(p) });

/** objectRecovery ends a recovery: by is the account itself, or who has begun it. */
export const objectRecovery = (p: Step): Action => action(p.by, { case: "accountObjectRecovery", value: step(p) });

/** finishRecovery lets the new key act once the waiting time has passed. Any account may. */
export const finishRecovery = (p: Step): Action => action(p.by, { case: "accountFinishRecovery", value: step(p) });
