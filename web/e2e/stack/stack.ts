/** What the tests know of the running stack. */

/** Who signs in: two users, and an administrator. */
export const USERS = { alice: {}, bob: {}, carol: { admin: true } } as const;
export type UserName = keyof typeof USERS;

export interface Stack {
  /** Its folder, with the logs. */
  directory: string;
  /** Where AWS clients talk to. */
  endpoint: string;
  region: string;
  /** Where the API and the admin page are. */
  api: string;
  /** Where one signs in. */
  issuer: string;
  /** Where the example chat is. */
  chat: string;
  /** Where the page of an application is that uses the client. */
  application: string;
  outputs: Record<string, string>;
  tokens: Record<UserName, string>;
}

/** Seconds for which tokens of the issuer live: few, so that pages renew them while they are tested. */
export const SIGN_IN_LIFETIME = 25;

const VARIABLE = "E2E_STACK";

/** Returns the stack that the setup has started. */
export function theStack(): Stack {
  const text = process.env[VARIABLE];
  if (!text) throw new Error("no stack was started");
  return JSON.parse(text);
}

/** Tells the workers, which get this process's environment, of the stack. */
export function announce(stack: Stack): void {
  process.env[VARIABLE] = JSON.stringify(stack);
}
