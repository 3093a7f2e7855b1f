import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./config";
import { Outside } from "./outside";
import { SignIn } from "./sign-in";
import "./styles.css";

const root = createRoot(document.getElementById("root") as HTMLElement);

async function start(): Promise<void> {
  const config = await loadConfig();
  const signIn = new SignIn(config);
  root.render(
    <StrictMode>
      <App api={config.api} signIn={signIn} />
    </StrictMode>,
  );
  await signIn.begin();
}

start().catch(() => root.render(<Outside problem="The page's configuration cannot be read. Is the stack running?" />));
