import type { Account, AccountProposal, AccountRecovery, Address, Balance, Member, Verified } from "@dureledger/dure";

import type { Payment } from "./payment.js";
import type { Identity, Pin } from "./store.js";

/** What a payment's receipt says. */
export type Proof =
  | { readonly state: "checking" | "none" }
  | { readonly state: "good"; readonly verified: Verified; readonly file: Uint8Array<ArrayBuffer> }
  | { readonly state: "bad"; readonly code: string; readonly message: string };

/** An asset as people see it. */
export interface AssetName {
  readonly name: string;
  readonly decimals: number;
}

/** Everything that the screens show. A new object at each change. */
export interface View {
  /**
   * Waiting: the account is not open yet. Outside: it is, but the key that is here does not act for it. Asleep: the node answers by account, and
   * the person has yet to show again who it is. Closed: it does, and the key that is here acts for no account.
   */
  readonly phase: "loading" | "start" | "waiting" | "outside" | "asleep" | "closed" | "open" | "otherNetwork" | "noStore";
  /** The node does not answer at the moment. */
  readonly lost: boolean;
  readonly network: string;
  readonly members: readonly Member[];
  /** Where passkeys count, and for which relying party. */
  readonly rpId: string;
  readonly origins: readonly string[];
  readonly pin?: Pin;
  readonly identity?: Identity["kind"];
  readonly address?: Address;
  /** The address of the key that is here. */
  readonly key?: Address;
  readonly keyText?: string;
  readonly account?: Account;
  /** Absent for a member's own account. */
  readonly recovery?: AccountRecovery | undefined;
  /** What waits for keys of the account to approve. */
  readonly proposals: readonly AccountProposal[];
  /** Unix milliseconds at which keys of the account came to act for it, where that is known. */
  readonly since: ReadonlyMap<string, number>;
  readonly balances: readonly Balance[];
  readonly assets: ReadonlyMap<string, AssetName>;
  /** The newest first. */
  readonly payments: readonly Payment[];
  readonly proofs: ReadonlyMap<string, Proof>;
  /** What arrived last while the wallet was open. */
  readonly arrived?: Payment;
}

/** What became of something that the account did: in which transaction, and whether other keys have yet to approve it. */
export interface Done {
  readonly id: string;
  readonly waits: boolean;
}
