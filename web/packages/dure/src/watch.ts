import type { Address } from "./address.js";
import { type Clock, backoff } from "./clock.js";
import type { Transaction } from "./gen/dure/api/v1/api_pb.js";
import { readError } from "./node.js";
import type { Nodes } from "./nodes.js";
import { Refusal } from "./refusal.js";

/** A transaction, and the cursor to go on from after it. */
export interface Watched {
  readonly transaction: Transaction;
  readonly cursor: string;
}

/** watch is Client.watch. */
export async function* watch(
  nodes: Nodes, clock: Clock, timeout: number, query: { account?: Address; asset?: string; cursor?: string }, signal?: AbortSignal,
): AsyncGenerator<Watched> {
  // "From now" must mean the same on every node, should the first be lost before its first answer.
  let cursor = query.cursor ?? String((await nodes.call(timeout, signal, (n, s) => n.ledger.getStatus({}, { signal: s }))).value.transactions);
  let next = 0n; // one more than the highest place in the history that was yielded
  for (let round = 0; ; round++) {
    for (const node of nodes.order()) {
      try {
        await nodes.admit(node, timeout, signal);
        const stream = node.ledger.watchTransactions({ account: query.account ?? "", asset: query.asset ?? "", cursor }, signal ? { signal } : {});
        for await (const message of stream) {
          round = 0;
          cursor = message.cursor;
          const seq = message.transaction?.outcome?.seq;
          if (!message.transaction || seq === undefined || seq < next) continue;
          next = seq + 1n;
          yield { transaction: message.transaction, cursor };
        }
      } catch (err) {
        if (signal?.aborted) return;
        const said = readError(err);
        if (said instanceof Refusal && said.retryAfterMs === undefined && said.code !== "cursor.not_yet") throw said;
      }
      if (signal?.aborted) return;
      nodes.passOver(node);
    }
    await clock.sleep(backoff(round), signal).catch(() => undefined);
    if (signal?.aborted) return;
  }
}
