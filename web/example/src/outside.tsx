/** What is shown while nobody is signed in. */
import icon from "./icon.svg";

export function Outside({ problem, busy, onSignIn }: { problem?: string; busy?: string; onSignIn?: () => void }) {
  return (
    <main className="outside">
      <img src={icon} alt="" width={56} height={56} />
      <h1>Example chat</h1>
      <p className="soft">
        Conversations are encrypted in this browser before they are sent, and decrypted here after they arrive. Where
        they are stored there is only ciphertext.
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {busy && <p role="status">{busy}</p>}
      {onSignIn && (
        <button type="button" className="button primary" onClick={onSignIn}>
          Sign in
        </button>
      )}
    </main>
  );
}
