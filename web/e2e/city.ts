import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Anchor } from "@dureledger/dure";

import { dure, genesis } from "./network.js";

export const network = Anchor.fromGenesis(genesis).network;

const folder = mkdtempSync(join(tmpdir(), "dure-"));

/** path is a file of this run. */
export const path = (name: string): string => join(folder, name);
export const read = (name: string): string => readFileSync(path(name), "utf8").trim();
export function write(name: string, text: string): string {
  writeFileSync(path(name), text);
  return path(name);
}

/** license registers a schema of certificates for the city, has the members give it the right to issue them, and opens a status list of that number. */
export function license(schema: string, list: number): void {
  const fields = [["name", "이름", "Name", "text"], ["district", "동네", "District", "text"], ["adult", "성인", "Of age", "boolean"], ["tag", "꼬리표", "Tag", "text"]];
  const definition = { title_ko: "거주 확인서", title_en: "Certificate of residence", fact: false, fields: fields.map(([name, title_ko, title_en, kind]) => ({ name, title_ko, title_en, kind })) };
  dure("id", "schema", schema, "--register", write(`${schema}.json`, JSON.stringify(definition)), "--by", "city");
  const [, proposal] = /^proposal +(\d+)/m.exec(dure("id", "licence", "give", schema, "city", "--until", "365d", "--depth", "1", "--by", "city", "--vote")) ?? [];
  for (const member of ["bank", "broker"]) dure("network", "vote", proposal as string, "--by", member);
  dure("credential", "status", "open", String(list), "--bits", "2", "--entries", "64", "--by", "city");
}
