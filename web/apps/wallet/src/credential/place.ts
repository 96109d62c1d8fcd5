import type { TextKey } from "../texts.js";

/** credentialPlace is the heading of a place in the wallet, undefined if it is none of the credentials' screens. */
export function credentialPlace(place: string): TextKey | undefined {
  if (place === "show") return "show.title";
  if (place === "credentials/add") return "add.title";
  return place === "credentials" || /^credentials\/[0-9]+$/.test(place) ? "credentials" : undefined;
}
