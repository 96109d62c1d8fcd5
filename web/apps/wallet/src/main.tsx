import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App.js";
import { takeLink } from "./credential/link.js";
import { Wallet } from "./wallet.js";
import "./wallet.css";

takeLink();
const wallet = new Wallet(location.origin);
void wallet.run();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App wallet={wallet} />
  </StrictMode>,
);
