import { Refusal } from "../refusal.js";

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

// What is read at most, as in Go.
export const maxText = 64 << 10;
export const maxDepth = 16;

export const malformed = (what: string) => new Refusal("credential.malformed", `this is no credential as RFC 9901 says: ${what}`);
export const tooLarge = (what: string) => new Refusal("credential.too_large", `the credential has ${what}; it is not read`);

export const isObject = (v: Json | undefined): v is JsonObject => typeof v === "object" && v !== null && !Array.isArray(v);

/** parseJson reads JSON and refuses what two readers may read in two ways: members of one name, and bytes that are no text. */
export function parseJson(bytes: Uint8Array): Json {
  if (bytes.length > maxText) throw tooLarge(`a part of ${bytes.length} bytes, more than ${maxText}`);
  let text: string, v: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    v = JSON.parse(text) as Json;
  } catch {
    throw malformed("it holds text that is not JSON");
  }
  // Each member has one colon outside of texts; JSON.parse keeps the last of those that have one name.
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
  if (members(v, 0) !== colons) throw malformed("a member is there twice in one object");
  return v;
}

/** parseObject is parseJson of an object. */
export function parseObject(bytes: Uint8Array): JsonObject {
  const v = parseJson(bytes);
  if (!isObject(v)) throw malformed("an object was expected");
  return v;
}

/** members counts those of all objects in a value. */
function members(v: Json, depth: number): number {
  if (depth > maxDepth) throw tooLarge(`objects and arrays nested more than ${maxDepth} deep`);
  if (Array.isArray(v)) return (v as readonly Json[]).reduce((n: number, e) => n + members(e, depth + 1), 0);
  if (!isObject(v)) return 0;
  if (Object.hasOwn(v, "__proto__")) throw malformed("a member is named __proto__");
  return Object.values(v).reduce((n: number, e) => n + 1 + members(e, depth + 1), 0);
}
