/** Whether sessions are encrypted, asked once for all who want to know. */
import type { EncryptionConfig, SessionClient } from "@dynamodb-stream-encryptor/client";
import { asError, Store } from "./store.js";

export interface ConfigState {
  /** The setting; undefined until it was read. */
  readonly config: EncryptionConfig | undefined;
  /** Whether the setting is known. */
  readonly ready: boolean;
  /** Why it could not be read the last time. */
  readonly error: Error | undefined;
}

export class ConfigStore extends Store<ConfigState> {
  readonly #client: SessionClient;
  #signal = AbortSignal.abort();

  constructor(client: SessionClient) {
    super({ config: undefined, ready: false, error: undefined });
    this.#client = client;
  }

  /** Reads the setting again; what was known stays until then. */
  readonly reload = async (): Promise<void> => {
    const signal = this.#signal;
    if (signal.aborted) return;
    try {
      const config = await this.#client.config(signal);
      this.become({ config, ready: true, error: undefined }, signal);
    } catch (reason) {
      this.become({ ...this.snapshot(), error: asError(reason) }, signal);
    }
  };

  protected begin(signal: AbortSignal): void {
    this.#signal = signal;
    void this.reload();
  }
}
