/** The page: signed out, or the list of conversations and the one that is shown. */
import { EncryptionProvider } from "@dynamodb-stream-encryptor/react";
import { useSyncExternalStore } from "react";
import { Conversation } from "./conversation";
import { ConversationList } from "./conversation-list";
import { EncryptionBadge } from "./encryption-badge";
import icon from "./icon.svg";
import { Icon } from "./icons";
import { Outside } from "./outside";
import { useShownId } from "./route";
import type { SignIn } from "./sign-in";
import { useConversations } from "./use-conversations";

export function App({ api, signIn }: { api: string; signIn: SignIn }) {
  const state = useSyncExternalStore(signIn.subscribe, signIn.state);
  switch (state.kind) {
    case "starting":
      return <Outside busy="Signing you in…" />;
    case "leaving":
      return <Outside busy="One moment…" />;
    case "signed-out":
      return <Outside {...(state.problem ? { problem: state.problem } : {})} onSignIn={signIn.signIn} />;
    case "signed-in":
      return (
        <EncryptionProvider key={state.id} api={api} token={signIn.token} user={state.id}>
          <Chat api={api} name={state.name} ended={state.ended} signIn={signIn} />
        </EncryptionProvider>
      );
  }
}

function Chat({ api, name, ended, signIn }: { api: string; name: string; ended: boolean; signIn: SignIn }) {
  const shown = useShownId();
  const conversations = useConversations();
  return (
    <div className={shown ? "chat shows-one" : "chat"}>
      <header className="top">
        <img src={icon} alt="" width={32} height={32} />
        <h1>Example chat</h1>
        <EncryptionBadge />
        <div className="account">
          <span className="name">
            <span className="visually-hidden">Signed in as </span>
            {name}
          </span>
          <button type="button" className="button quiet" onClick={signIn.signOut}>
            <Icon name="out" />
            <span className="wide">Sign out</span>
          </button>
        </div>
      </header>
      {ended && (
        <div className="notice warn ended" role="alert">
          <p>Your sign-in has ended. What you see stays until you leave the page.</p>
          <button type="button" className="button plain" onClick={signIn.signIn}>
            Sign in again
          </button>
        </div>
      )}
      <ConversationList conversations={conversations} shown={shown} />
      <main className="stage">
        {shown ? (
          <Conversation key={shown} sessionId={shown} api={api} signIn={signIn} onSaved={conversations.refresh} />
        ) : (
          <div className="nothing">
            <Icon name="locked" />
            <h2>Nothing is open</h2>
            <p className="soft">Choose a conversation, or begin a new one.</p>
          </div>
        )}
      </main>
    </div>
  );
}
