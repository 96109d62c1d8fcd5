import { Refusal } from "@dureledger/dure";

/** The code of this wallet's own no to a node that wants to know who reads. */
export const asleep = "access.asleep";

/** closedBy is what a node's or a key's no to reading makes of the wallet; undefined if it was something else. */
export function closedBy(err: unknown): "asleep" | "closed" | undefined {
  if (err instanceof Refusal && err.code === "access.key_not_acting") return "closed";
  return err instanceof Refusal && err.code.startsWith("access.") ? "asleep" : undefined;
}

/** noneOfOurs turns a node's no to reading for an account that a key does not act for into there being none. */
export function noneOfOurs(err: unknown): undefined {
  if (closedBy(err) !== "closed") throw err;
}
