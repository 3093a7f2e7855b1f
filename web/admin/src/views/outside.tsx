/** What is shown where nobody is signed in, or somebody who may not see the rest. */

import { Clock, CloudOff, Compass, LogIn, LogOut, type LucideIcon, ShieldX } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "wouter";

import type { PageConfig } from "../sign-in/config";
import type { Why } from "../sign-in/sign-in";
import { Brand } from "../ui/brand";
import { Button, Empty } from "../ui/parts";

interface DoorProps {
  title: string;
  icon?: LucideIcon;
  children: ReactNode;
  action?: ReactNode;
}

function Door({ title, icon: Icon, children, action }: DoorProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Stream Encryptor`;
    heading.current?.focus();
  }, [title]);
  return (
    <main className="door">
      <div className="door-card">
        <Brand />
        {Icon && <Icon aria-hidden size={28} strokeWidth={1.5} className="door-icon" />}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
        {action}
      </div>
    </main>
  );
}

const WHYS: Record<Why, string> = {
  "signed-out": "You are signed out. Nothing of the session is kept in this browser.",
  "not-completed": "The sign-in was not completed.",
  stale: "That sign-in is over, or was begun in another tab. Sign in again.",
  unreachable: "The sign-in service could not be reached. Try again in a moment.",
};

export function SignedOut({ config, why, signIn }: { config: PageConfig; why: Why | null; signIn: () => void }) {
  return (
    <Door
      title={why === "signed-out" ? "Signed out" : "Sign in"}
      action={
        <Button look="primary" icon={LogIn} onClick={signIn} className="wide-button">
          {why === "signed-out" ? "Sign in again" : "Sign in"}
        </Button>
      }
    >
      {why && <p className={why === "signed-out" ? "soft" : "note-line bad-text"}>{WHYS[why]}</p>}
      <p className="soft">
        Encryption of the stack <b>{config.stack}</b>
        {config.region && ` in ${config.region}`}, for administrators. Signing in goes through your organization’s own
        page.
      </p>
    </Door>
  );
}

export function Expired({ name, signIn }: { name: string; signIn: () => void }) {
  return (
    <Door
      title="Your sign-in has expired"
      icon={Clock}
      action={
        <Button look="primary" icon={LogIn} onClick={signIn} className="wide-button">
          Sign in again
        </Button>
      }
    >
      <p className="soft">
        You were signed in as <b>{name}</b>. Sweeps that were started go on. Signing in brings you back to where you
        were.
      </p>
    </Door>
  );
}

export function NotAllowed({ config, name, signOut }: { config: PageConfig; name: string; signOut: () => void }) {
  return (
    <Door
      title="For administrators only"
      icon={ShieldX}
      action={
        <Button icon={LogOut} onClick={signOut} className="wide-button">
          Sign out
        </Button>
      }
    >
      <p className="soft">
        You are signed in as <b>{name}</b>, who is not in the group <code>{config.groupHint}</code>. Whoever manages the
        users can add you to it; sign in again after that.
      </p>
    </Door>
  );
}

export function Leaving({ back }: { back: boolean }) {
  return (
    <main className="door" aria-busy>
      <h1 className="visually-hidden">Stream Encryptor</h1>
      <p className="soft" role="status">
        {back ? "One moment…" : "To the sign-in…"}
      </p>
    </main>
  );
}

export function Broken() {
  return (
    <Door
      title="The page cannot start"
      icon={CloudOff}
      action={
        <Button look="primary" onClick={() => window.location.reload()} className="wide-button">
          Reload
        </Button>
      }
    >
      <p className="soft">
        Its configuration could not be read. If this lasts, look whether the stack has an issuer and a client id.
      </p>
    </Door>
  );
}

export function NotFound() {
  return (
    <>
      <h1 className="visually-hidden">Not found</h1>
      <Empty icon={Compass} title="There is no such view" action={<Link href="/">To the overview</Link>}>
        The address may have been shortened.
      </Empty>
    </>
  );
}
