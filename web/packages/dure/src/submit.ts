import { type Clock, backoff } from "./clock.js";
import { Wait, type Outcome, type SubmitResult } from "./gen/dure/api/v1/api_pb.js";
import { refusalOf } from "./node.js";
import type { Nodes } from "./nodes.js";
import { Refusal, Undecided, Unreachable } from "./refusal.js";
import type { Signed } from "./transaction.js";

/** How long a request may take, in milliseconds. */
export interface Timeouts {
  readonly read: number;
  /** Of one submission that waits for its outcome, on one node. */
  readonly commit: number;
}

/** The longest that a network can let a transaction be valid ahead, with a once key: 90 days. */
const longestWindow = 90 * 24 * 3600 * 1000;

/** Carries transactions to the ledger and finds out what became of them. */
export class Submitter {
  constructor(
    private readonly nodes: Nodes,
    private readonly clock: Clock,
    private readonly timeouts: Timeouts,
  ) {}

  /** submit sends a transaction and waits until it is committed: see Client.submit. */
  async submit(s: Signed, signal?: AbortSignal): Promise<Outcome> {
    for (let sent = false; ; ) {
      const went = await this.nodes
        .call(this.timeouts.commit, signal, (n, limit) => n.ledger.submit({ transaction: s.raw, wait: Wait.COMMIT }, { signal: limit }))
        .catch((err: unknown) => {
          throw sent || (err instanceof Unreachable && err.sent) ? new Undecided(s.id, s.notAfter, err) : err;
        });
      sent ||= went.sent;
      const error = went.value.result?.error;
      if (!error?.retryable) return this.judge(s, went.value.result, sent, signal);
      sent ||= error.code === "tx.pending"; // in the pool there, though not decided
      this.nodes.passOver(went.node);
      await this.clock.sleep(error.retryAfterMs + backoff(0), signal).catch(() => {
        throw sent ? new Undecided(s.id, s.notAfter, refusalOf(error)) : refusalOf(error);
      });
    }
  }

  /** judge makes an end of a node's answer. A no may hide that an earlier copy of the same bytes went through: then the ledger is asked first. */
  private async judge(s: Signed, answer: SubmitResult | undefined, sent: boolean, signal?: AbortSignal): Promise<Outcome> {
    const outcome = answer?.outcome;
    const error = answer?.error;
    if (outcome && outcome.status !== "void") return outcome;
    const code = outcome?.code ?? error?.code ?? "";
    const first = (outcome?.fields ?? error?.fields)?.["tx"];
    const copy = code === "tx.duplicate" || code === "tx.expired" || (code === "tx.once_used" && first === s.id);
    if (sent || copy) {
      const earlier = await this.find(s.id, signal).catch(() => undefined);
      if (earlier) return earlier;
      if (code === "tx.duplicate") return this.wait(s, signal); // ordered but not yet readable
    }
    if (outcome) return outcome;
    if (!error) return this.wait(s, signal);
    throw sent ? new Undecided(s.id, s.notAfter, refusalOf(error)) : refusalOf(error);
  }

  /** find is the outcome of a committed transaction; undefined: the node knows none, which does not show that it will not come yet. */
  async find(id: string, signal?: AbortSignal): Promise<Outcome | undefined> {
    try {
      const { value } = await this.nodes.call(this.timeouts.read, signal, (n, limit) => n.ledger.getTransaction({ id }, { signal: limit }));
      return value.transaction?.outcome;
    } catch (err) {
      if (err instanceof Refusal && err.notFound) return undefined;
      throw err;
    }
  }

  private async wait(s: Signed, signal?: AbortSignal): Promise<Outcome> {
    const until = this.clock.now() + this.timeouts.commit;
    try {
      for (let round = 0; ; round++) {
        const outcome = await this.find(s.id, signal);
        if (outcome) return outcome;
        if (this.clock.now() >= until) throw new Error("no node shows what became of it");
        await this.clock.sleep(backoff(Math.min(round, 3)), signal);
      }
    } catch (err) {
      throw new Undecided(s.id, s.notAfter, err);
    }
  }

  /**
   * carry submits the same bytes until they have an outcome or a definite refusal. Undefined: they are shown never to have happened, because
   * they expired.
   */
  async carry(s: Signed, signal?: AbortSignal): Promise<Outcome | undefined> {
    let last: unknown;
    for (let round = 0; ; round++) {
      try {
        const outcome = await this.submit(s, signal);
        if (outcome.status !== "void" || outcome.code !== "tx.expired") return outcome;
      } catch (err) {
        const open = err instanceof Undecided || (err instanceof Refusal && (err.code === "tx.expired" || err.retryAfterMs !== undefined));
        if (!open) throw err;
        last = err;
      }
      if (signal?.aborted) throw new Undecided(s.id, s.notAfter, last ?? signal.reason);
      try {
        const { outcome, absent } = await this.shownAbsent(s, round, signal);
        if (outcome || absent) return outcome;
      } catch (err) {
        if (signal?.aborted) throw new Undecided(s.id, s.notAfter, err);
        last = err; // a node was lost: go on
      }
    }
  }

  /**
   * shownAbsent asks one node whether s is committed, and whether it never can be: a block later than notAfter is committed, the
   * node's index has reached that block, and the id is not in it. All three must come from one node, in this order.
   */
  private async shownAbsent(s: Signed, round: number, signal?: AbortSignal): Promise<{ outcome?: Outcome | undefined; absent: boolean }> {
    await this.clock.sleep(backoff(round), signal);
    const { value, node } = await this.nodes.call(this.timeouts.read, signal, (n, limit) => n.ledger.getStatus({}, { signal: limit }));
    const past = value.height;
    for (let status = value; ; ) {
      if (!(Date.parse(status.time) > s.notAfter)) return { absent: false };
      if (status.indexHeight >= past) break;
      await this.clock.sleep(backoff(0), signal);
      status = await this.nodes.callOne(node, this.timeouts.read, signal, (n, limit) => n.ledger.getStatus({}, { signal: limit }));
    }
    try {
      const found = await this.nodes.callOne(node, this.timeouts.read, signal, (n, limit) => n.ledger.getTransaction({ id: s.id }, { signal: limit }));
      return { outcome: found.transaction?.outcome, absent: false };
    } catch (err) {
      if (!(err instanceof Refusal) || !err.notFound) throw err;
      // A node that began with a snapshot does not know what was before.
      if (err.code === "tx.pruned" && !(Date.parse(err.fields["first_time"] ?? "") < s.notAfter - longestWindow)) throw err;
      return { absent: true };
    }
  }
}
