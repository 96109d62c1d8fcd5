import type { Reader } from "./access.js";
import type { Address } from "./address.js";
import { type Bytes, own } from "./bytes.js";
import { type Clock, systemClock } from "./clock.js";
import type {
  Account, AccountEvent, AccountProposal, Asset, Balance, GetAccountResponse, GetNetworkResponse, GetStatusListResponse, GetStatusResponse, Organisation, Outcome, Right, Schema, Transaction,
} from "./gen/dure/api/v1/api_pb.js";
import type { Signer } from "./key.js";
import { type Node, newNode } from "./node.js";
import { Nodes } from "./nodes.js";
import type { Anchor, Verified, VerifiedCheckpoint } from "./proof/anchor.js";
import { Refusal } from "./refusal.js";
import { Submitter, type Timeouts } from "./submit.js";
import { type Draft, type Signed, sign, transfer } from "./transaction.js";
import { type Watched, watch } from "./watch.js";

/** Which nodes to talk to, and how. Times are in milliseconds. */
export interface ClientConfig {
  /** Addresses such as https://node.example; the first is preferred, the others are used when it does not answer. */
  readonly nodes: readonly string[];
  /** Pins the network id (name-hash). Without it the first node that answers decides. A node of another network is never used. */
  readonly network?: string;
  /** Of one read on one node; 10 seconds. */
  readonly timeout?: number;
  /** Of one submission that waits for its outcome, on one node; 30 seconds. */
  readonly commitTimeout?: number;
  /** How long a call goes round the nodes while none answers; 15 seconds. */
  readonly patience?: number;
  /** Who reads at nodes that answer by account; without it they refuse with access.token_needed. */
  readonly reader?: Reader;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
}

/** How often send signs anew, at most, so that a clock that is far behind does not sign for ever. */
const maxSignings = 5;

/** The most entries that a node gives at once. */
const pageSize = 200;

/** Talks to the nodes of one network. Nothing is logged. */
export class Client {
  private readonly nodes: Nodes;
  private readonly clock: Clock;
  private readonly timeouts: Timeouts;
  private readonly submitter: Submitter;

  /** A client does not touch the network until it is asked something. */
  constructor(config: ClientConfig) {
    if (config.nodes.length === 0) throw new Refusal("client.no_node", "give the address of a node");
    const fetch = config.fetch ?? globalThis.fetch.bind(globalThis);
    this.clock = config.clock ?? systemClock;
    const reading = config.reader && { reader: config.reader, network: () => this.nodes.network, clock: this.clock };
    this.timeouts = { read: config.timeout ?? 10_000, commit: config.commitTimeout ?? 30_000 };
    this.nodes = new Nodes(config.nodes.map((n) => newNode(n, fetch, reading)), config.network, this.clock, config.patience ?? 15_000);
    this.submitter = new Submitter(this.nodes, this.clock, this.timeouts);
  }

  /** The id of the network: the pinned one, or that of the first node that answers. */
  async network(): Promise<string> {
    return this.nodes.network ?? (await this.status()).network;
  }

  /**
   * send makes a draft happen at most once: it signs, and submits the same bytes until they have an outcome. Only when a committed block
   * later than the last moment shows that they never happened does it sign anew. It goes on until the signal ends it, with Undecided if
   * the last signing may still happen. The outcome may be "failed" or "void": see check.
   */
  async send(draft: Draft, signers: readonly Signer[], signal?: AbortSignal): Promise<Outcome> {
    const network = await this.network();
    for (let i = 0; i < (draft.notAfter === undefined ? maxSignings : 1); i++) {
      const outcome = await this.submitter.carry(await sign(network, draft, signers, this.clock.now()), signal);
      if (outcome) return outcome;
    }
    throw new Refusal("tx.expired", "the transaction expired before it was ordered, each time it was signed; check this machine's clock and whether the network commits blocks");
  }

  /** pay sends a transfer and checks that it happened: what the ledger refuses is a Refusal. Amount is in smallest units: see parseUnits. */
  async pay(p: Parameters<typeof transfer>[0], signer: Signer, signal?: AbortSignal): Promise<Outcome> {
    return check(await this.send({ actions: [transfer(p)] }, [signer], signal));
  }

  /**
   * submit sends a signed transaction and waits until it is committed. The same bytes again have the same outcome. Ends with Refusal (nothing of it
   * is on the ledger), Undecided (not known) or Unreachable (never sent).
   */
  async submit(signed: Signed, signal?: AbortSignal): Promise<Outcome> {
    return this.submitter.submit(signed, signal);
  }

  /** status is how the node that answers is. */
  async status(signal?: AbortSignal): Promise<GetStatusResponse> {
    return this.read((n, s) => n.ledger.getStatus({}, { signal: s }), signal);
  }

  /** networkInfo has the genesis file, the members and the parameters that they voted for. */
  async networkInfo(signal?: AbortSignal): Promise<GetNetworkResponse> {
    return this.read((n, s) => n.network.getNetwork({}, { signal: s }), signal);
  }

  /** account is an account; undefined if it was never opened. */
  async account(address: Address, signal?: AbortSignal): Promise<Account | undefined> {
    return (await this.accountDetails(address, signal))?.account;
  }

  /** accountDetails is an account with its last freezes and its recovery; undefined if it was never opened. */
  async accountDetails(address: Address, signal?: AbortSignal): Promise<GetAccountResponse | undefined> {
    return ifAny(this.read((n, s) => n.account.getAccount({ address }, { signal: s }), signal));
  }

  /** accountEvents is what was done to an account itself, the newest first: its keys, sponsor, freezes and recoveries; at most 200. */
  async accountEvents(address: Address, signal?: AbortSignal): Promise<AccountEvent[]> {
    return (await this.read((n, s) => n.account.listAccountEvents({ address, pageSize }, { signal: s }), signal)).events;
  }

  /** proposals are the open proposals of an account that acts by a rule, the newest first. */
  async proposals(address: Address, signal?: AbortSignal): Promise<AccountProposal[]> {
    return this.pages(async (pageToken) => {
      const r = await this.read((n, s) => n.account.listAccountProposals({ address, pageSize, pageToken }, { signal: s }), signal);
      return [r.proposals, r.nextPageToken];
    });
  }

  /** asset is an asset class; undefined if there is none. */
  async asset(asset: string, signal?: AbortSignal): Promise<Asset | undefined> {
    return ifAny(this.read((n, s) => n.asset.getAsset({ asset }, { signal: s }), signal).then((r) => r.asset));
  }

  /** assets lists every asset class. */
  async assets(signal?: AbortSignal): Promise<Asset[]> {
    return this.pages(async (pageToken) => {
      const r = await this.read((n, s) => n.asset.listAssets({ pageSize, pageToken }, { signal: s }), signal);
      return [r.assets, r.nextPageToken];
    });
  }

  /** balances are those of an account by asset, in smallest units. */
  async balances(account: Address, signal?: AbortSignal): Promise<Balance[]> {
    return this.pages(async (pageToken) => {
      const r = await this.read((n, s) => n.asset.listBalances({ account, pageSize, pageToken }, { signal: s }), signal);
      return [r.balances, r.nextPageToken];
    });
  }

  /** transactions are the newest that touch an account, the newest first; at most 500. */
  async transactions(account: Address, most = 50, signal?: AbortSignal): Promise<Transaction[]> {
    return (await this.read((n, s) => n.ledger.listTransactions({ account, pageSize: most }, { signal: s }), signal)).transactions;
  }

  /** history yields all transactions of an account that happened, the newest first. */
  async *history(account: Address, signal?: AbortSignal): AsyncGenerator<Transaction> {
    for (let pageToken = ""; ; ) {
      const r = await this.read((n, s) => n.ledger.listTransactions({ account, status: "ok", pageSize: 500, pageToken }, { signal: s }), signal);
      yield* r.transactions;
      if ((pageToken = r.nextPageToken) === "") return;
    }
  }

  /** organisation is what the ledger knows of an organisation; undefined if the account is none. */
  async organisation(account: Address, signal?: AbortSignal): Promise<Organisation | undefined> {
    return ifAny(this.read((n, s) => n.identity.getOrganisation({ account }, { signal: s }), signal).then((r) => r.organisation));
  }

  /** schema says what credentials of a name hold, with titles in Korean and English; undefined if there is none. */
  async schema(schema: string, signal?: AbortSignal): Promise<Schema | undefined> {
    return ifAny(this.read((n, s) => n.identity.getSchema({ schema }, { signal: s }), signal).then((r) => r.schema));
  }

  /** rights lists what an account may issue, or might. */
  async rights(holder: Address, signal?: AbortSignal): Promise<Right[]> {
    return this.pages(async (pageToken) => {
      const r = await this.read((n, s) => n.identity.listRights({ holder, pageSize, pageToken }, { signal: s }), signal);
      return [r.rights, r.nextPageToken];
    });
  }

  /** statusList is a whole status list of an issuer, so that the node does not learn which credential is looked at; undefined if there is none. */
  async statusList(issuer: Address, list: number, signal?: AbortSignal): Promise<GetStatusListResponse | undefined> {
    return ifAny(this.read((n, s) => n.identity.getStatusList({ issuer, list }, { signal: s }), signal));
  }

  /** transaction is a committed transaction; undefined when the node knows none, which does not show that it will not come yet. */
  async transaction(id: string, signal?: AbortSignal): Promise<Transaction | undefined> {
    return ifAny(this.read((n, s) => n.ledger.getTransaction({ id }, { signal: s }), signal).then((r) => r.transaction));
  }

  /**
   * watch yields transactions as they are committed, each with the cursor to go on from. Without a cursor it begins now; "0" is the beginning.
   * When the node is lost it goes on at another, so that none is missed and none comes twice. It ends when the signal does, or with a Refusal.
   */
  watch(query: { account?: Address; asset?: string; cursor?: string }, signal?: AbortSignal): AsyncGenerator<Watched> {
    return watch(this.nodes, this.clock, this.timeouts.read, query, signal);
  }

  /** receipt asks for the receipt file of a transaction and verifies it from the anchor. The file is to be kept. */
  async receipt(id: string, anchor: Anchor, signal?: AbortSignal): Promise<{ file: Bytes; verified: Verified }> {
    const r = await this.read((n, s) => n.ledger.getReceipt({ id, trustedHeight: anchor.basis.genesis ? 0n : anchor.height }, { signal: s }), signal);
    const verified = anchor.verifyReceipt(r.receipt);
    if (verified.id !== id) throw new Refusal("receipt.other_transaction", "the node gave the receipt of another transaction");
    return { file: own(r.receipt), verified };
  }

  /** stateProof asks for the value under a raw state key (docs/state.md), or its absence, and verifies it from the anchor. */
  async stateProof(key: Uint8Array, anchor: Anchor, signal?: AbortSignal): Promise<{ value: Bytes | undefined; verified: VerifiedCheckpoint }> {
    const r = await this.read((n, s) => n.ledger.getStateProof({ key: own(key) }, { signal: s }), signal);
    if (!r.exists && r.value.length > 0) throw new Refusal("proof.mismatch", "the answer says both that the key is absent and that it has a value");
    const value = r.exists ? own(r.value) : undefined;
    return { value, verified: anchor.verifyState({ key, value, proof: r.proof, checkpoint: r.checkpoint }) };
  }

  private async read<T>(ask: (n: Node, signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return (await this.nodes.call(this.timeouts.read, signal, ask)).value;
  }

  private async pages<T>(page: (token: string) => Promise<[T[], string]>): Promise<T[]> {
    const all: T[] = [];
    for (let token = ""; ; ) {
      const [some, next] = await page(token);
      all.push(...some);
      if (next === "") return all;
      token = next;
    }
  }
}

async function ifAny<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((err: unknown) => {
    if (err instanceof Refusal && err.notFound) return undefined;
    throw err;
  });
}

/** check returns an outcome that is ok, and turns a failed or void one into a Refusal. */
export function check(outcome: Outcome): Outcome {
  if (outcome.status === "ok") return outcome;
  throw new Refusal(outcome.code, outcome.message, outcome.fields);
}

