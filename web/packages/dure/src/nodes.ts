import { type Clock, backoff } from "./clock.js";
import { type Node, readError } from "./node.js";
import { Refusal, Unreachable } from "./refusal.js";

/** How a call went: which node answered, and whether an attempt before may have arrived elsewhere. */
export interface Answer<T> {
  readonly value: T;
  readonly node: Node;
  readonly sent: boolean;
}

/** One call of a node's services. */
type Ask<T> = (n: Node, signal: AbortSignal) => Promise<T>;

/** The nodes of one network, of which the one that answered last is asked first. */
export class Nodes {
  private preferred = 0;

  constructor(
    private readonly all: readonly Node[],
    /** The id of the network; undefined until the first node that answers decides it. */
    public network: string | undefined,
    private readonly clock: Clock,
    /** How long a call goes round the nodes while none answers, in milliseconds. */
    private readonly patience: number,
  ) {}

  /** order lists the nodes from the preferred one on. */
  order(): Node[] {
    return this.all.map((_, i) => this.all[(this.preferred + i) % this.all.length] as Node);
  }

  passOver(n: Node): void {
    if (this.all[this.preferred] === n) this.preferred = (this.preferred + 1) % this.all.length;
  }

  /**
   * call asks the nodes in turn until one answers, going round with growing pauses until patience ends. It ends with a node's Refusal that
   * is for good, or with Unreachable.
   */
  async call<T>(timeout: number, signal: AbortSignal | undefined, ask: Ask<T>): Promise<Answer<T>> {
    const deadline = this.clock.now() + this.patience;
    const lost = new Map<string, string>();
    let sent = false;
    for (let round = 0; ; round++) {
      let pause = Infinity;
      for (const node of this.order()) {
        const got = await this.attempt(node, timeout, signal, ask);
        if ("value" in got) {
          this.preferred = this.all.indexOf(node);
          return { value: got.value, node, sent };
        }
        const { err } = got;
        if (err instanceof Refusal && err.retryAfterMs === undefined) throw err;
        sent ||= got.sent;
        lost.set(node.address, err instanceof Error ? err.message : String(err));
        if (signal?.aborted) throw new Unreachable(lost, sent);
        if (!(err instanceof WrongNetwork)) pause = Math.min(pause, err instanceof Refusal ? (err.retryAfterMs ?? 0) : 0);
        this.passOver(node);
      }
      // When each belongs to another network, waiting changes nothing.
      if (pause === Infinity || this.clock.now() >= deadline) throw new Unreachable(lost, sent);
      await this.clock.sleep(Math.max(backoff(round), pause), signal).catch(() => {
        throw new Unreachable(lost, sent);
      });
    }
  }

  /** attempt asks one node, once it is known to be of the network. `sent`: it may have had the request, though no answer came. */
  private async attempt<T>(node: Node, timeout: number, signal: AbortSignal | undefined, ask: Ask<T>): Promise<{ value: T } | { err: unknown; sent: boolean }> {
    try {
      await this.admit(node, timeout, signal);
    } catch (err) {
      return { err, sent: false };
    }
    try {
      return { value: await this.callOne(node, timeout, signal, ask) };
    } catch (err) {
      return { err, sent: !(err instanceof Refusal) };
    }
  }

  /** callOne asks one node once. What it refused is a Refusal; anything else is trouble on the way. */
  async callOne<T>(node: Node, timeout: number, signal: AbortSignal | undefined, ask: Ask<T>): Promise<T> {
    const limit = AbortSignal.timeout(timeout);
    try {
      return await ask(node, signal ? AbortSignal.any([signal, limit]) : limit);
    } catch (err) {
      throw readError(err);
    }
  }

  /** admit makes sure that a node belongs to the pinned network, and pins its network if none is. */
  async admit(node: Node, timeout: number, signal?: AbortSignal): Promise<void> {
    if (node.admitted) return;
    const { network } = await this.callOne(node, timeout, signal, (n, s) => n.ledger.getStatus({}, { signal: s }));
    this.network ??= network;
    if (network !== this.network) throw new WrongNetwork(`the node belongs to network ${network}, not to ${this.network}`);
    node.admitted = true;
  }
}

class WrongNetwork extends Error {}
