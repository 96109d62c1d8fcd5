import {
  type Action, type Address, Anchor, Client, type GetAccountResponse, type GetNetworkResponse, type Outcome, type Passkey, type PublicKey, Refusal, type Signer,
  agreementFile, check, countersign, createPasskey, cryptoSigner, findPasskey, generateKey, keyAddress, keyText, mustPropose, passkeySigner, proposalValidity,
  propose, sign, transfer, weightOf,
} from "@dureledger/dure";

import { sinceWhen } from "./authority.js";
import { forgetCredentials } from "./credential/forget.js";
import { type Payment, paymentsOf, provenPayments, same } from "./payment.js";
import { asleep, closedBy, noneOfOurs } from "./reading.js";
import { type Identity, type LocalKey, Store } from "./store.js";
import type { Done, Proof, View } from "./view.js";

/** How long a request may be answered, in milliseconds. */
const requestValidity = 3 * 24 * 3600 * 1000;

/** And how long without a once key, which a proposal of a single key cannot have. */
const offerValidity = 2 * 60 * 1000;

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
    proposals: [], since: new Map(),
  };
  private readonly listeners = new Set<() => void>();
  private client: Client;
  private store?: Store;
  private identity?: Identity;
  private signer?: Signer;
  private reading?: AbortController;
  /** A passkey may be asked who reads: once for each time that the person says so. */
  private awake = true;
  private anchor?: Anchor;
  private genesis?: Uint8Array<ArrayBuffer>;
  private proving = Promise.resolve();
  private files = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(private readonly origin: string) {
    this.client = new Client({ nodes: [origin] });
  }

  /** reads is a client for whom a key signs where the node wants to know who reads. */
  private reads(account: Address, signer: Signer, ask: () => boolean): Client {
    const reader = async () => {
      if (!ask()) throw new Refusal(asleep, "the person has yet to show who it is");
      return { account, signer };
    };
    return new Client({ nodes: [this.origin], network: this.view.network, reader });
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

  /** make makes the key of a new wallet, which is to act for an account, if one is given, and otherwise opens its own. */
  async make(kind: Identity["kind"], name: string, account?: Address): Promise<void> {
    const key: LocalKey = kind === "passkey" ? { kind, passkey: await this.newPasskey(name, account) } : { kind, pair: await generateKey("p256") };
    await this.begin({ ...key, ...(account && { account }) });
  }

  /** another makes another passkey for the account, on an authenticator that has not the one of this device. */
  async another(name: string): Promise<Signer> {
    return passkeySigner(await this.newPasskey(name, this.view.address, this.identity?.kind === "passkey" ? [this.identity.passkey] : []));
  }

  private newPasskey(name: string, account?: Address, beside: readonly Passkey[] = []): Promise<Passkey> {
    const label = `${name} ${new Date().toISOString().slice(0, 10)}`;
    return createPasskey({ rpId: this.view.rpId, rpName: name, name: label, beside, ...(account && { account }) });
  }

  /** find takes up the wallet of a passkey that was made before, perhaps on another device, and says whether it acts for an account: for that one, if it is given. */
  async find(wanted?: Address): Promise<boolean> {
    for (const { account, ...passkey } of await findPasskey(this.view.rpId)) {
      const own = keyAddress(passkey.key);
      for (const place of account ? [account, own] : [own]) {
        if (wanted && place !== wanted) continue;
        const found = await this.reads(place, passkeySigner(passkey), () => true).account(place).catch(noneOfOurs);
        if (!found || weightOf(found, own) === 0) continue;
        await this.begin({ kind: "passkey", passkey, account: place });
      return true;
    }
    }
    return false;
  }

  private async begin(identity: Identity): Promise<void> {
    const pin = this.view.pin ?? { network: this.view.network, genesis: this.genesis!, seen: Date.now() };
    await this.store!.begin(identity, pin);
    this.set({ pin });
    await this.use(identity);
  }

  private async use(identity: Identity): Promise<void> {
    this.identity = identity;
    this.signer = identity.kind === "passkey" ? passkeySigner(identity.passkey) : await cryptoSigner(identity.pair);
    const key = keyAddress(this.signer.key);
    const address = identity.account ?? key;
    this.set({ identity: identity.kind, address, key, keyText: keyText(this.signer.key) });
    const byItself = identity.kind === "browser";
    this.client = this.reads(address, this.signer, () => {
      const now = this.awake || byItself;
      this.awake = false;
      return now;
    });
    this.awake = true; // the person has just opened the wallet
    this.begun(address);
  }

  /** wake has the person show who it is, to a node that answers by account. */
  wake(): void {
    this.awake = true;
    this.set({ phase: "loading" });
    this.begun(this.view.address!);
  }

  private begun(address: Address): void {
    this.reading?.abort();
    this.reading = new AbortController();
    void this.follow(address, this.reading.signal);
  }

  /** follow reads the account, and again at each transaction that touches it. */
  private async follow(address: Address, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { transactions } = await this.client.status();
        await this.read(address);
        for await (const { transaction } of this.client.watch({ account: address, cursor: String(transactions) }, signal)) {
          await this.indexed(transaction.outcome?.height ?? 0n);
          this.add(paymentsOf(transaction, address), true);
          await this.read(address);
        }
      } catch (err) {
        if (signal.aborted) return;
        const phase = closedBy(err);
        if (phase) return this.set({ phase, lost: false });
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
    const { account, recovery } = (await this.client.accountDetails(address)) ?? {};
    if (!account) {
      this.set({ phase: "waiting", lost: false });
      return;
    }
    if (weightOf(account, this.view.key!) === 0) {
      this.set({ phase: "outside", lost: false, account, recovery });
      return;
    }
    const [balances, assets, transactions, proposals, events] = await Promise.all([
      this.client.balances(address), this.client.assets(), this.client.transactions(address, shown), account.rule ? this.client.proposals(address) : [],
      this.client.accountEvents(address),
    ]);
    this.set({
      phase: "open", lost: false, account, recovery, proposals, since: sinceWhen(address, events), balances, assets: new Map(assets.map((a) => [a.asset, { name: a.name, decimals: a.decimals }])),
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

  /** look is any account with its recovery; undefined if it was never opened. */
  async look(address: Address): Promise<GetAccountResponse | undefined> {
    return this.client.accountDetails(address);
  }

  /** watch calls changed at each transaction that touches an account, until the signal ends it. */
  async watch(account: Address, changed: () => void, signal: AbortSignal): Promise<void> {
    for await (const { transaction } of this.client.watch({ account }, signal)) {
      await this.indexed(transaction.outcome?.height ?? 0n);
      changed();
    }
  }

  /** pay pays, or proposes to: see act. */
  async pay(p: { asset: string; to: Address; amount: string; memo: string }, reason: string): Promise<Done> {
    return this.act([transfer({ ...p, from: this.view.address! })], reason);
  }

  /**
   * act has the account do something, signed by the key that is here: at once if that is enough, else as a proposal for the other keys to
   * approve. It ends when it is known what became of it; what the ledger refuses is a Refusal.
   */
  async act(actions: readonly Action[], reason: string): Promise<Done> {
    return this.settled(check(await this.client.send({ actions: this.proposed(actions, reason) ?? actions }, [this.signer!])));
  }

  /** proposed is actions as a proposal, if the key that is here is not enough for them. */
  private proposed(actions: readonly Action[], reason: string): [Action] | undefined {
    if (!mustPropose(this.view.account!, this.view.key!, actions)) return undefined;
    return [propose(this.view.address!, actions, reason, Date.now() + proposalValidity)];
  }

  /** request is a transaction signed by a new key: who acts in it signs it too, within three days. */
  async request(action: Action, key = this.signer!): Promise<Uint8Array<ArrayBuffer>> {
    const once = crypto.getRandomValues(new Uint8Array(32)); // what is valid for so long must be
    return (await sign(this.view.network, { actions: [action], once, validity: requestValidity }, [key])).raw;
  }

  /** offer is a request of a new key to this account itself, or a proposal signed by that key, to be answered within two minutes. */
  async offer(action: Action, reason: string, key: Signer): Promise<Uint8Array<ArrayBuffer>> {
    const actions = this.proposed([action], reason);
    return actions ? (await sign(this.view.network, { actions, validity: offerValidity }, [key])).raw : this.request(action, key);
  }

  /** agreement is a request as a file that `dure agree` signs and submits, for a member who has no wallet. */
  agreement(raw: Uint8Array): string {
    return agreementFile(this.view.network, raw);
  }

  /** The key that is here. */
  get publicKey(): PublicKey {
    return this.signer!.key;
  }

  /** answer signs a request that the person has looked at, and submits it. */
  async answer(raw: Uint8Array): Promise<Done> {
    return this.settled(check(await this.client.submit(await countersign(this.view.network, raw, [this.signer!]))));
  }

  private async settled(outcome: Outcome): Promise<Done> {
    await this.indexed(outcome.height);
    await this.read(this.view.address!);
    const has = (name: string) => outcome.events.some((e) => e.name === name);
    return { id: outcome.id, waits: has("account.proposed") && !has("account.closed") };
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
