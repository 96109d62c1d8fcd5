/**
 * The SDK of the Dure ledger for browsers and Node. docs/sdk-typescript.md is its guide.
 *
 * @module
 */
export { type Address, type PublicKey, formatAddress, keyAddress, keyText, parseAddress } from "./address.js";
export type { Reader } from "./access.js";
export {
  type RecoveryRules, type Rule, agreeRecovery, approve, execute, finishRecovery, lockAccount, mustPropose, objectRecovery, propose, proposalValidity, recover, ruleOf,
  setRecovery, setRule, unlockAccount, weightOf, withdraw, withoutKey,
} from "./account.js";
export { formatUnits, parseUnits } from "./amount.js";
export { fromBase64url, toBase64url } from "./bytes.js";
export type { Action, Body } from "./gen/dure/tx/v1/tx_pb.js";
export { KeyKind } from "./gen/dure/account/v1/account_pb.js";
export { type Signer, type ToSign, cryptoSigner, generateKey } from "./key.js";
export { type FoundPasskey, type Passkey, createPasskey, findPasskey, passkeySigner } from "./passkey.js";
export { Anchor, type Basis, type Grounds, type StateProof, type Verified, type VerifiedCheckpoint } from "./proof/anchor.js";
export { type Cosignature, type Policy, type Witness, parseWitness } from "./proof/witness.js";
export { Refusal, Undecided, Unreachable } from "./refusal.js";
export { type Draft, type Signed, action, agreementFile, countersign, decodeTransaction, openAccount, rotateKey, sign, transfer } from "./transaction.js";
export { verifySignatures } from "./verify.js";
export { Client, type ClientConfig, check } from "./client.js";
export type { Clock } from "./clock.js";
export type { Watched } from "./watch.js";
export type {
  Account, AccountEvent, AccountProposal, AccountRecovery, Asset, Balance, GetAccountResponse, GetNetworkResponse, GetStatusResponse, Member, Organisation, Outcome, Right, Schema, SchemaField, Transaction,
} from "./gen/dure/api/v1/api_pb.js";
