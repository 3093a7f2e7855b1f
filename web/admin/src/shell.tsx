/** What stands around every view: where one is, where one can go, who one is. */

import { Dialog } from "@base-ui/react/dialog";
import { Toggle } from "@base-ui/react/toggle";
import { ToggleGroup } from "@base-ui/react/toggle-group";
import {
  ChartColumnBig,
  CircleUser,
  FileCheck2,
  KeyRound,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  ScrollText,
  Shuffle,
  Sun,
  TriangleAlert,
} from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import { short } from "./format";
import { useService } from "./service";
import { activeSweep } from "./sweeps/census";
import { chooseTheme, storedTheme, type Theme } from "./theme";
import { Brand } from "./ui/brand";
import { Button } from "./ui/parts";

const VIEWS: { path: string; name: string; icon: LucideIcon }[] = [
  { path: "/", name: "Overview", icon: ChartColumnBig },
  { path: "/migration", name: "Migration", icon: Shuffle },
  { path: "/keys", name: "Keys", icon: KeyRound },
  { path: "/failures", name: "Failures", icon: TriangleAlert },
  { path: "/audit", name: "Audit", icon: ScrollText },
  { path: "/report", name: "Report", icon: FileCheck2 },
];

export function Shell({ name, signOut, children }: { name: string; signOut: () => void; children: ReactNode }) {
  const { config, status } = useService();
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const seen = useRef(path);
  const here = VIEWS.find((view) => (view.path === "/" ? path === "/" : path.startsWith(view.path)));

  useEffect(() => {
    document.title = `${here?.name ?? "Not found"} · Stream Encryptor`;
    if (seen.current === path) return;
    seen.current = path;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true }); // A screen reader begins with the new view.
  }, [path, here]);

  const failures = status.data?.failureQueue.messages ?? 0;
  const sweep = status.data ? activeSweep(status.data.sweeps) : null;
  const mark = (view: string) => {
    if (view === "/failures" && failures > 0) {
      return (
        <span className="mark bad">
          {short(failures)}
          <span className="visually-hidden"> open</span>
        </span>
      );
    }
    if (view === "/migration" && sweep) {
      return (
        <span className={`mark ${sweep.state === "running" ? "live" : "warn"}`}>
          <span className="visually-hidden">{sweep.state}</span>
        </span>
      );
    }
    return null;
  };

  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="side">
        <Brand stack={config.stack} region={config.region} />
        <nav aria-label="Views">
          {VIEWS.map(({ path: to, name: label, icon: Icon }) => (
            <Link key={to} href={to} aria-current={here?.path === to ? "page" : undefined}>
              <Icon aria-hidden size={18} />
              <span>{label}</span>
              {mark(to)}
            </Link>
          ))}
        </nav>
        <Account name={name} signOut={signOut} />
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

const THEMES: { theme: Theme; name: string; icon: LucideIcon }[] = [
  { theme: "system", name: "As the system", icon: Monitor },
  { theme: "light", name: "Light", icon: Sun },
  { theme: "dark", name: "Dark", icon: Moon },
];

/** Who one is and how the page looks: at the side where there is room, else in a dialog. */
function Account({ name, signOut }: { name: string; signOut: () => void }) {
  const [theme, setTheme] = useState(storedTheme);
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  const content = (
    <>
      <p className="account-name" title={name}>
        <span className="visually-hidden">Signed in as </span>
        {name}
      </p>
      <div className="account-row">
        <ToggleGroup
          className="toggles"
          aria-label="Appearance"
          value={[theme]}
          onValueChange={([chosen]) => chosen && choose(chosen)}
        >
          {THEMES.map(({ theme: each, name: label, icon: Icon }) => (
            <Toggle key={each} value={each} className="toggle" aria-label={label} title={label}>
              <Icon aria-hidden size={16} />
            </Toggle>
          ))}
        </ToggleGroup>
        <Button look="quiet" icon={LogOut} onClick={signOut}>
          Sign out
        </Button>
      </div>
    </>
  );
  return (
    <>
      <div className="account">{content}</div>
      <Dialog.Root>
        <Dialog.Trigger className="icon-button account-button" aria-label="Account and appearance">
          <CircleUser aria-hidden size={22} />
        </Dialog.Trigger>
        <Dialog.Portal>
          <Dialog.Backdrop className="backdrop" />
          <Dialog.Viewport className="dialog-place">
            <Dialog.Popup className="dialog stack">
              <Dialog.Title className="dialog-title">Account</Dialog.Title>
              {content}
              <Dialog.Close render={<Button className="wide-button" />}>Close</Dialog.Close>
            </Dialog.Popup>
          </Dialog.Viewport>
        </Dialog.Portal>
      </Dialog.Root>
    </>
  );
}
