import type { Address, Passkey } from "@dureledger/dure";

/** The key that is here. */
export type LocalKey = { readonly kind: "passkey"; readonly passkey: Passkey } | { readonly kind: "browser"; readonly pair: CryptoKeyPair };

/** It, and the account that it acts for, or is to act for, when that is not the one that the key opened itself. */
export type Identity = LocalKey & { readonly account?: Address };

/** The network that the wallet belongs to, as first seen. */
export interface Pin {
  readonly network: string;
  readonly genesis: Uint8Array<ArrayBuffer>;
  /** Unix milliseconds. */
  readonly seen: number;
}

const name = "dure-wallet";
const settings = "settings";
const receipts = "receipts";

/** What the wallet keeps in this browser: IndexedDB, which stores keys that cannot be read out as they are. Nothing of it is sent anywhere. */
export class Store {
  private constructor(private readonly db: IDBDatabase) {}

  static open(): Promise<Store> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(settings);
        request.result.createObjectStore(receipts);
      };
      request.onsuccess = () => resolve(new Store(request.result));
      request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
    });
  }

  identity(): Promise<Identity | undefined> {
    return this.run(settings, "readonly", (s) => s.get("identity"));
  }

  pin(): Promise<Pin | undefined> {
    return this.run(settings, "readonly", (s) => s.get("pin"));
  }

  /** begin keeps a new wallet's key and network, and asks the browser not to clear them by itself. */
  async begin(identity: Identity, pin: Pin): Promise<void> {
    await this.run(settings, "readwrite", (s) => s.put(pin, "pin"));
    await this.run(settings, "readwrite", (s) => s.put(identity, "identity"));
    await navigator.storage?.persist?.().catch(() => false);
  }

  /** receipts are the files kept, by the transaction's id. */
  async receipts(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const keys = await this.run<IDBValidKey[]>(receipts, "readonly", (s) => s.getAllKeys());
    const files = await this.run<Uint8Array<ArrayBuffer>[]>(receipts, "readonly", (s) => s.getAll());
    return new Map(keys.map((key, i) => [String(key), files[i]!]));
  }

  async keepReceipt(id: string, file: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.run(receipts, "readwrite", (s) => s.put(file, id));
  }

  /** forget deletes everything. */
  async forget(): Promise<void> {
    await this.run(settings, "readwrite", (s) => s.clear());
    await this.run(receipts, "readwrite", (s) => s.clear());
  }

  private run<T>(store: string, mode: IDBTransactionMode, ask: (s: IDBObjectStore) => IDBRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = this.db.transaction(store, mode);
      const request = ask(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onerror = () => reject(transaction.error ?? new Error("IndexedDB"));
      transaction.onabort = transaction.onerror;
    });
  }
}
