/** A page of an application that uses the client. */
import type { BrowserContext, Page } from "@playwright/test";

import { theStack, type UserName } from "../stack/stack.ts";

/** What is saved; a text `@12` is the exact number 12. */
export interface Changes {
  name?: string;
  history?: unknown[];
  configuration?: Record<string, unknown>;
}

export interface Shown extends Changes {
  form: "encrypted" | "plaintext";
}

export type Saved = { saved: Shown } | { conflict: Shown | null };

interface InPage {
  application: {
    signIn(api: string, token: string): void;
    read(sessionId: string): Promise<Shown | null>;
    save(sessionId: string, changes: Changes, isNew: boolean): Promise<Saved>;
    unwrap(sessionId: string, encryptedKey: string, api: string, token: string): Promise<Refusal>;
  };
}

/** An answer of the API. */
export interface Refusal {
  status: number;
  body: Record<string, unknown>;
}

export class Application {
  private constructor(
    readonly page: Page,
    readonly user: UserName,
  ) {}

  /** Opens a page that `user` is signed in at. */
  static async open(context: BrowserContext, user: UserName): Promise<Application> {
    const { api, application, tokens } = theStack();
    const page = await context.newPage();
    await page.goto(application);
    await page.waitForFunction(() => "application" in window);
    await page.evaluate(([address, token]) => (window as unknown as InPage).application.signIn(address, token), [
      api,
      tokens[user],
    ] as const);
    return new Application(page, user);
  }

  /** Returns a session, which the next save is made on. */
  read(sessionId: string): Promise<Shown | null> {
    return this.page.evaluate((id) => (window as unknown as InPage).application.read(id), sessionId);
  }

  /** Saves a session that there must not be yet. */
  create(sessionId: string, changes: Changes): Promise<Saved> {
    return this.saved(sessionId, changes, true);
  }

  /** Saves a change of what was read or saved last. */
  save(sessionId: string, changes: Changes): Promise<Saved> {
    return this.saved(sessionId, changes, false);
  }

  /** Asks the API to decrypt a data key, with a user's token. */
  unwrap(sessionId: string, encryptedKey: string, user: UserName): Promise<Refusal> {
    const { api, tokens } = theStack();
    return this.page.evaluate(
      ([id, key, address, token]) => (window as unknown as InPage).application.unwrap(id, key, address, token),
      [sessionId, encryptedKey, api, tokens[user]] as const,
    );
  }

  private saved(sessionId: string, changes: Changes, isNew: boolean): Promise<Saved> {
    return this.page.evaluate(([id, given, anew]) => (window as unknown as InPage).application.save(id, given, anew), [
      sessionId,
      changes,
      isNew,
    ] as const);
  }
}
