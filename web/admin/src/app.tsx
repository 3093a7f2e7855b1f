/** The page: signed out, refused, or the views behind the sign-in. */

import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast } from "@base-ui/react/toast";
import { CircleCheck, X } from "lucide-react";
import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import { Route, Router, Switch } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";

import { AdminApi } from "./api/api";
import { NotAdministrator, type NotSignedIn } from "./api/errors";
import { ResourceMemory } from "./resource";
import { ServiceProvider } from "./service";
import { Shell } from "./shell";
import type { PageConfig } from "./sign-in/config";
import type { SignIn } from "./sign-in/sign-in";
import { AuditView } from "./views/audit";
import { FailuresView } from "./views/failures";
import { KeysView } from "./views/keys";
import { MigrationView } from "./views/migration";
import { Expired, Leaving, NotAllowed, NotFound, SignedOut } from "./views/outside";
import { OverviewView } from "./views/overview";
import { ReportView } from "./views/report";
import { SweepView } from "./views/sweep";

export function App({ config, signIn }: { config: PageConfig; signIn: SignIn }) {
  const state = useSyncExternalStore(signIn.subscribe, signIn.state);
  switch (state.kind) {
    case "starting":
    case "leaving":
      return <Leaving back={state.kind === "starting"} />;
    case "signed-out":
      return <SignedOut config={config} why={state.why} signIn={() => void signIn.signIn()} />;
    case "expired":
      return <Expired name={state.name} signIn={() => void signIn.signIn()} />;
    case "signed-in":
      return <Inside config={config} signIn={signIn} name={state.name} />;
  }
}

function Inside({ config, signIn, name }: { config: PageConfig; signIn: SignIn; name: string }) {
  const [outsider, setOutsider] = useState(false);
  const api = useMemo(() => new AdminApi(config.apiUrl, signIn), [config, signIn]);
  const refused = useCallback(
    (error: NotSignedIn | NotAdministrator) => {
      if (error instanceof NotAdministrator) setOutsider(true);
      else void signIn.expire();
    },
    [signIn],
  );
  const signOut = () => void signIn.signOut();
  if (outsider) return <NotAllowed config={config} name={name} signOut={signOut} />;
  return (
    // The policy of the page forbids style elements; what Base UI would put into one is in the style sheets.
    <CSPProvider disableStyleElements>
      <ResourceMemory refused={refused}>
        <Toast.Provider timeout={6000}>
          <ServiceProvider api={api} config={config}>
            <Router hook={useHashLocation}>
              <Shell name={name} signOut={signOut}>
                <Switch>
                  <Route path="/" component={OverviewView} />
                  <Route path="/migration" component={MigrationView} />
                  <Route path="/migration/:id">{({ id }) => <SweepView key={id} id={id} />}</Route>
                  <Route path="/keys" component={KeysView} />
                  <Route path="/failures" component={FailuresView} />
                  <Route path="/audit" component={AuditView} />
                  <Route path="/report/:sweep?">{({ sweep }) => <ReportView sweep={sweep} />}</Route>
                  <Route component={NotFound} />
                </Switch>
              </Shell>
            </Router>
          </ServiceProvider>
          <Toasts />
        </Toast.Provider>
      </ResourceMemory>
    </CSPProvider>
  );
}

function Toasts() {
  const { toasts } = Toast.useToastManager();
  return (
    <Toast.Portal>
      <Toast.Viewport className="toasts">
        {toasts.map((toast) => (
          <Toast.Root key={toast.id} toast={toast} className="toast">
            <CircleCheck aria-hidden size={18} />
            <Toast.Content>
              <Toast.Title className="toast-title" />
              <Toast.Description className="small" />
            </Toast.Content>
            <Toast.Close className="icon-button" aria-label="Close">
              <X aria-hidden size={16} />
            </Toast.Close>
          </Toast.Root>
        ))}
      </Toast.Viewport>
    </Toast.Portal>
  );
}
