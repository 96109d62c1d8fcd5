/**
 * A no, with its reason: the ledger's, a node's, or this library's about a file that does not verify. The code is noun.what, such as
 * asset.insufficient_balance or proof.bad_signature, and the same as in Go; the message is for a person, in English.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly code: string,
    message: string,
    /** Values that explain it, such as the balance. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** The same bytes may be sent again after so many milliseconds; undefined: a no for good. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** Whether the thing asked for is not on the ledger. */
  get notFound(): boolean {
    return /\.(unknown|unknown_model|unknown_list|unknown_schema|pruned)$/.test(this.code);
  }
}

/** No node answered. `sent`: one of them may have had the request before it was lost. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor(
    /** The last trouble with each node, by its address. */
    readonly nodes: ReadonlyMap<string, string>,
    readonly sent: boolean,
  ) {
    super("no node answered: " + [...nodes].map(([node, why]) => `${node}: ${why}`).join("; "));
  }
}

/**
 * It is not known whether the transaction happened: nodes were lost after it may have been sent. Submit the same bytes again, or ask
 * for the id later; sign anew only through Client.pay and Client.send, which do so when it is shown to be safe.
 */
export class Undecided extends Error {
  override readonly name = "Undecided";

  constructor(
    /** 64 hex digits. */
    readonly id: string,
    /** Once a committed block is later than this and the id is unknown, it never happened. Unix milliseconds. */
    readonly notAfter: number,
    override readonly cause: unknown,
  ) {
    super(`it is not known whether transaction ${id} happened: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
