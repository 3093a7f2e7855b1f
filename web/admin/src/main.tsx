import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { loadConfig } from "./sign-in/config";
import { SignIn } from "./sign-in/sign-in";
import { applyTheme, storedTheme } from "./theme";
import { Broken } from "./views/outside";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/layout.css";
import "./styles/charts.css";

applyTheme(storedTheme());
const root = createRoot(document.getElementById("root") as HTMLElement);

async function start() {
  const config = await loadConfig();
  const signIn = SignIn.for(config, window.location.origin);
  root.render(
    <StrictMode>
      <App config={config} signIn={signIn} />
    </StrictMode>,
  );
  window.addEventListener("pageshow", (event) => event.persisted && signIn.shownAgain());
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  await signIn.begin(navigation?.type === "reload");
}

start().catch(() => root.render(<Broken />));
