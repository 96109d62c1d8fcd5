import type { View } from "./view.js";
import { day, hour } from "./authority.js";
import { type WordsValue, useWords } from "./words.js";

/** Who is at an address: members by their names, others by their address. */
export function Who({ address, view }: { address: string; view: View }) {
  const { t } = useWords();
  const member = view.members.find((m) => m.address === address);
  if (address === view.address) return <>{t("address.mine")}</>;
  return member ? <>{member.name}</> : <span className="break-all font-mono text-sm">{address}</span>;
}

/** memberName is the name of a member, or the address of who is none. */
export const memberName = (address: string, view: View): string => view.members.find((m) => m.address === address)?.name ?? address;

/** The address of a key as a number that two people compare: in groups of four. */
export function KeyNumber({ address }: { address: string }) {
  return <span className="font-mono">{(address.slice(2).toLowerCase().match(/.{4}/g) ?? []).join(" ")}</span>;
}

/** shortKey is enough of a key's address to tell it from the other few of a list. */
export const shortKey = (address: string): string => address.slice(2, 6).toLowerCase() + " … " + address.slice(-4).toLowerCase();

/** span says a time in milliseconds in whole hours or days. */
export function span(ms: number, t: WordsValue["t"]): string {
  return ms >= day && ms % day === 0 ? t("span.days", String(ms / day)) : t("span.hours", String(Math.ceil(ms / hour)));
}
