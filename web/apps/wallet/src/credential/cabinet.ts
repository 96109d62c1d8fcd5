import { type Address, Client, type Schema, generateKey, keyAddress, keyText } from "@dureledger/dure";
import { type Credential, type HolderKey, holderKey, readCredential, verifyCredential } from "@dureledger/dure/credential";

import { database } from "./forget.js";

const keys = "keys";
const texts = "credentials";

/** A credential that this browser keeps. */
export interface Kept {
  /** A number that names it here. */
  readonly id: number;
  readonly credential: Credential;
}

/** The credentials of this browser and the key that they are issued to: in IndexedDB, which stores a key that cannot be read out as it is. */
export class Cabinet {
  private constructor(private readonly db: IDBDatabase, readonly client: Client, readonly key: HolderKey) {}

  /** open opens it for a ledger, and makes the key the first time. */
  static async open(origin: string, network: string): Promise<Cabinet> {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(database, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(keys);
        request.result.createObjectStore(texts, { autoIncrement: true });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
    });
    db.onversionchange = () => db.close(); // forgotten by another page
    let pair = await run<CryptoKeyPair | undefined>(db, keys, "readonly", (s) => s.get("holder"));
    if (!pair) {
      const fresh = await generateKey("p256");
      await run(db, keys, "readwrite", (s) => s.add(fresh, "holder")).catch(() => undefined); // another page was first
      pair = (await run<CryptoKeyPair | undefined>(db, keys, "readonly", (s) => s.get("holder"))) ?? fresh;
      await navigator.storage?.persist?.().catch(() => false);
    }
    return new Cabinet(db, new Client({ nodes: [origin], network }), await holderKey(pair));
  }

  /** keyText is what an issuer needs. */
  get keyText(): string {
    return keyText(this.key.key);
  }

  /** mine says whether a credential was issued to this browser's key. */
  mine(c: Credential): boolean {
    return c.holder !== undefined && keyAddress(c.holder) === keyAddress(this.key.key);
  }

  async all(): Promise<Kept[]> {
    const ids = await run<IDBValidKey[]>(this.db, texts, "readonly", (s) => s.getAllKeys());
    const given = await run<string[]>(this.db, texts, "readonly", (s) => s.getAll());
    return ids.map((id, i) => ({ id: Number(id), credential: readCredential(given[i]!) }));
  }

  /** add verifies a credential at the node and keeps it; one that is here already is not kept twice. */
  async add(text: string): Promise<number> {
    const c = readCredential(text);
    const kept = (await this.all()).find((k) => k.credential.text === c.text);
    if (kept) return kept.id;
    await verifyCredential(this.client, c.text);
    return Number(await run<IDBValidKey>(this.db, texts, "readwrite", (s) => s.add(c.text)));
  }

  async remove(id: number): Promise<void> {
    await run(this.db, texts, "readwrite", (s) => s.delete(id));
  }

  private readonly schemas = new Map<string, Promise<Schema | undefined>>();

  /** schema has the titles of what credentials of a name say; undefined if the node does not say. */
  schema(name: string): Promise<Schema | undefined> {
    const known = this.schemas.get(name);
    if (known) return known;
    const asked = this.client.schema(name).catch(() => undefined);
    this.schemas.set(name, asked);
    return asked;
  }

  private readonly names = new Map<string, Promise<string>>();

  /** nameOf is the name of an organisation, "" if the account is none. */
  nameOf(account: Address): Promise<string> {
    const known = this.names.get(account);
    if (known) return known;
    const asked = this.client.organisation(account).then((o) => o?.name ?? "").catch(() => "");
    this.names.set(account, asked);
    return asked;
  }
}

function run<T>(db: IDBDatabase, store: string, mode: IDBTransactionMode, ask: (s: IDBObjectStore) => IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, mode);
    const request = ask(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result as T);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB"));
  });
}
