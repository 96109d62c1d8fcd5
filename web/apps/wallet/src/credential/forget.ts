/** The database of credentials in this browser. */
export const database = "dure-credentials";

/** forgetCredentials deletes the key and all credentials of this browser. */
export function forgetCredentials(): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(database);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
