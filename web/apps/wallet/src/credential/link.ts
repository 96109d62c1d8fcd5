const waiting = "dure-wallet-request";

/** takeLink takes a site's request out of this page's address, where it would stay in the browser's history, and shows the screen that answers it. */
export function takeLink(): void {
  if (!new URLSearchParams(location.search).has("client_id")) return;
  sessionStorage.setItem(waiting, location.href.split("#")[0]!);
  history.replaceState(null, "", `${location.pathname}#show`);
}

/** waitingLink is the request that takeLink took; it is there once. */
export function waitingLink(): string | undefined {
  return sessionStorage.getItem(waiting) ?? undefined;
}

export const dropLink = (): void => sessionStorage.removeItem(waiting);
