import { Refusal } from "./refusal.js";

const most = (1n << 128n) - 1n;

/**
 * parseUnits turns an amount as people write it, such as "1,250.50", into the decimal string of the smallest unit of an asset with so
 * many decimals. A comma or a space may group thousands if every group has three digits. What could be read two ways, a sign, or more decimals than
 * the asset has, is refused with amount.malformed.
 */
export function parseUnits(text: string, decimals: number): string {
  const bad = (why: string) => new Refusal("amount.malformed", `amount "${text}": ${why}`);
  const [whole = "", fraction, more] = text.trim().split(".");
  if (more !== undefined || (fraction !== undefined && !/^[0-9]+$/.test(fraction))) throw bad("want digits after one point");
  // Where a comma is the decimal point, 1,250 is one and a quarter.
  if (fraction === undefined && decimals >= 3 && whole.split(",").length === 2) throw bad("it could be read in two ways; write it without the comma, or with a point");
  if (!/^[0-9]+$/.test(whole) && !/^[0-9]{1,3}(?:(,[0-9]{3})+|( [0-9]{3})+)$/.test(whole)) throw bad("want digits, such as 12 or 12.50");
  const rest = (fraction ?? "").replace(/0+$/, "");
  if (rest.length > decimals) throw bad(`the asset has ${decimals} decimals, this has ${rest.length}`);
  const units = BigInt(whole.replace(/[, ]/g, "") + rest.padEnd(decimals, "0"));
  if (units > most) throw new Refusal("amount.too_large", `amount "${text}" is larger than any there can be`);
  return units.toString();
}

/** formatUnits shows an amount of smallest units with its point and thousands, such as "1,250.50". What is no plain number comes back as it is. */
export function formatUnits(units: string, decimals: number): string {
  if (!/^[0-9]+$/.test(units)) return units;
  const padded = units.padStart(decimals + 1, "0");
  const whole = padded.slice(0, padded.length - decimals).replace(/\B(?=([0-9]{3})+$)/g, ",");
  return decimals > 0 ? `${whole}.${padded.slice(-decimals)}` : whole;
}
