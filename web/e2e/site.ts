import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A site of another make: it gives its request to who asks, keeps what is posted, and sends the browser on. Pages of others may ask it. */
export class Site {
  readonly #server: Server;
  request = "";
  posted: Record<string, string> = {};
  constructor() {
    this.#server = createServer((req, res) => {
      let body = "";
      req.on("data", (part: Buffer) => (body += part.toString()));
      req.on("end", () => {
        if (req.url === "/response") this.posted = Object.fromEntries(new URLSearchParams(body));
        res.setHeader("Access-Control-Allow-Origin", "*");
        res.setHeader("Content-Type", req.url === "/response" ? "application/json" : "application/oauth-authz-req+jwt");
        res.end(req.url === "/response" ? JSON.stringify({ redirect_uri: `${this.url}/done` }) : this.request);
      });
    });
  }
  readonly open = (): Promise<void> => new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  readonly close = (): void => void this.#server.close();
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}
