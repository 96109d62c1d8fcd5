import {
  type Account, type Address, Anchor, type Balance, Client, type GetNetworkResponse, type Member, Refusal, type Signer, type Verified,
  cryptoSigner, createPasskey, findPasskey, generateKey, keyAddress, keyText, passkeySigner,
} from "@dureledger/dure";

import { forgetCredentials } from "./credential/forget.js";
import { type Payment, paymentsOf, provenPayments, same } from "./payment.js";
import { type Identity, type Pin, Store } from "./store.js";

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
  readonly phase: "loading" | "start" | "waiting" | "open" | "otherNetwork" | "noStore";
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
  readonly keyText?: string;
  readonly account?: Account;
  readonly balances: readonly Balance[];
  readonly assets: ReadonlyMap<string, AssetName>;
  /** The newest first. */
  readonly payments: readonly Payment[];
  readonly proofs: ReadonlyMap<string, Proof>;
  /** What arrived last while the wallet was open. */
  readonly arrived?: Payment;
}

/** How many transactions the list has. */
const shown = 50;

/** How long to wait before the node that does not answer is asked again, in milliseconds. */
const again = 2000;

/** How long to wait for a node that is about to catch up, in milliseconds. */
const soon = 50;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The wallet's connection to its node, and what it knows. Screens subscribe to it. */
export class Wallet {
  view: View = {
    phase: "loading", lost: false, network: "", members: [], rpId: "", origins: [], balances: [], assets: new Map(), payments: [], proofs: new Map(),
  };
  private readonly listeners = new Set<() => void>();
  private readonly client: Client;
  private store?: Store;
  private signer?: Signer;
  private anchor?: Anchor;
  private genesis?: Uint8Array<ArrayBuffer>;
  private proving = Promise.resolve();
  private files = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(origin: string) {
    this.client = new Client({ nodes: [origin] });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  /** run loads what there is and follows the ledger for as long as the page is open. */
  async run(): Promise<void> {
    try {
      this.store = await Store.open();
      this.files = await this.store.receipts();
    } catch {
      this.set({ phase: "noStore" });
      return;
    }
    const info = await this.untilAnswered();
    const parameters = (info.parameters ?? {}) as { rp_id?: string; origins?: string[] };
    const pin = await this.store.pin();
    this.set({ network: info.network, members: info.members, rpId: parameters.rp_id ?? "", origins: parameters.origins ?? [], ...(pin && { pin }) });
    this.genesis = new Uint8Array(pin?.genesis ?? info.genesis);
    this.anchor = Anchor.fromGenesis(this.genesis);
    if (this.anchor.network !== info.network) {
      this.set({ phase: "otherNetwork" });
      return;
    }
    const identity = await this.store.identity();
    if (identity) await this.use(identity);
    else this.set({ phase: "start" });
  }

  /** make makes the key of a new wallet. */
  async make(kind: Identity["kind"], name: string): Promise<void> {
    const identity: Identity =
      kind === "passkey"
        ? { kind, passkey: await createPasskey({ rpId: this.view.rpId, rpName: name, name: `${name} ${new Date().toISOString().slice(0, 10)}` }) }
        : { kind, pair: await generateKey("p256") };
    await this.begin(identity);
  }

  /** find takes up the wallet of a passkey that was made before, perhaps on another device, and says whether the ledger has an account of it. */
  async find(): Promise<boolean> {
    for (const passkey of await findPasskey(this.view.rpId)) {
      if (!(await this.client.account(keyAddress(passkey.key)))) continue;
      await this.begin({ kind: "passkey", passkey });
      return true;
    }
    return false;
  }

  private async begin(identity: Identity): Promise<void> {
    const pin = { network: this.view.network, genesis: this.genesis!, seen: Date.now() };
    await this.store!.begin(identity, pin);
    this.set({ pin });
    await this.use(identity);
  }

  private async use(identity: Identity): Promise<void> {
    this.signer = identity.kind === "passkey" ? passkeySigner(identity.passkey) : await cryptoSigner(identity.pair);
    this.set({ identity: identity.kind, address: keyAddress(this.signer.key), keyText: keyText(this.signer.key) });
    void this.follow(this.view.address!);
  }

  /** follow reads the account, and again at each transaction that touches it. */
  private async follow(address: Address): Promise<void> {
    for (;;) {
      try {
        const { transactions } = await this.client.status();
        await this.read(address);
        for await (const { transaction } of this.client.watch({ account: address, cursor: String(transactions) })) {
          await this.indexed(transaction.outcome?.height ?? 0n);
          this.add(paymentsOf(transaction, address), true);
          await this.read(address);
        }
      } catch {
        this.set({ lost: true }); // asked again below
      }
      await pause(again);
    }
  }

  /** indexed waits until the node's lists have come as far as a block. */
  private async indexed(height: bigint): Promise<void> {
    while ((await this.client.status()).indexHeight < height) await pause(soon);
  }

  private async read(address: Address): Promise<void> {
    const account = await this.client.account(address);
    if (!account) {
      this.set({ phase: "waiting", lost: false });
      return;
    }
    const [balances, assets, transactions] = await Promise.all([this.client.balances(address), this.client.assets(), this.client.transactions(address, shown)]);
    this.set({
      phase: "open", lost: false, account, balances, assets: new Map(assets.map((a) => [a.asset, { name: a.name, decimals: a.decimals }])),
    });
    this.add(transactions.flatMap((t) => paymentsOf(t, address)), false);
  }

  /** add puts payments into the list, the newest first, and has their receipts checked. */
  private add(some: readonly Payment[], live: boolean): void {
    const known = new Set(this.view.payments.map((p) => p.id));
    const fresh = some.filter((p) => !known.has(p.id));
    if (fresh.length === 0) return;
    const all = [...this.view.payments, ...fresh].sort((a, b) => b.time - a.time);
    const newest = new Set([...new Set(all.map((p) => p.id))].slice(0, shown));
    const payments = all.filter((p) => newest.has(p.id)); // all of a transaction, or none
    const arrived = live ? fresh.find((p) => p.incoming && !p.refused) : undefined;
    this.set({ payments, ...(arrived && { arrived }) });
    // One after the other, so that a slow phone stays usable.
    for (const id of new Set(fresh.map((p) => p.id))) this.proving = this.proving.then(() => this.prove(id));
  }

  /** prove verifies the receipt of a transaction in this browser, and that it says what the list shows. */
  async prove(id: string): Promise<void> {
    const set = (proof: Proof) => this.set({ proofs: new Map(this.view.proofs).set(id, proof) });
    set({ state: "checking" });
    try {
      const kept = this.files.get(id);
      const { file, verified } = kept ? { file: kept, verified: this.anchor!.verifyReceipt(kept) } : await this.client.receipt(id, this.anchor!);
      if (verified.id !== id || !same(this.view.payments.filter((p) => p.id === id), provenPayments(verified, this.view.address!))) {
        set({ state: "bad", code: "differs", message: "" });
        return;
      }
      this.files.set(id, file);
      await this.store!.keepReceipt(id, file);
      set({ state: "good", verified, file });
    } catch (err) {
      const refused = err instanceof Refusal && /^(receipt|proof|checkpoint)\./.test(err.code) && err.code !== "receipt.not_yet";
      set(refused ? { state: "bad", code: err.code, message: err.message } : { state: "none" });
    }
  }

  /** has says whether an account is open at an address. */
  async has(address: Address): Promise<boolean> {
    return (await this.client.account(address)) !== undefined;
  }

  /** pay pays, and ends when it is known what became of it: with the id, or as Client.pay does. */
  async pay(p: { asset: string; to: Address; amount: string; memo: string }): Promise<string> {
    const outcome = await this.client.pay({ ...p, from: this.view.address! }, this.signer!);
    await this.indexed(outcome.height);
    await this.read(this.view.address!);
    return outcome.id;
  }

  /** export is every receipt that this browser has, and the genesis file. */
  export(): Map<string, Uint8Array<ArrayBuffer>> {
    const out = new Map([["genesis.json", this.genesis!]]);
    for (const [id, file] of this.files) out.set(`${id}.dure`, file);
    return out;
  }

  async forget(): Promise<void> {
    await this.store!.forget();
    await forgetCredentials();
    location.hash = "";
    location.reload();
  }

  private async untilAnswered(): Promise<GetNetworkResponse> {
    for (;;) {
      try {
        const answer = await this.client.networkInfo();
        this.set({ lost: false });
        return answer;
      } catch {
        this.set({ lost: true });
        await pause(again);
      }
    }
  }
}
