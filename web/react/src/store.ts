/** State that lives outside React, for as long as somebody looks at it. */

/**
 * Begins when the first subscriber comes; when the last one leaves, what is under way is aborted and nothing is kept.
 *
 * So it works in strict mode, which subscribes twice, and holds no plaintext that no component shows.
 */
export abstract class Store<State> {
  readonly #initial: State;
  readonly #listeners = new Set<() => void>();
  #state: State;
  #visit = new AbortController();

  constructor(initial: State) {
    this.#initial = initial;
    this.#state = initial;
  }

  readonly snapshot = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#visit = new AbortController();
      this.begin(this.#visit.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#visit.abort();
      this.#state = this.#initial;
    };
  };

  /** Asks for what the state is made of, until `signal`. */
  protected abstract begin(signal: AbortSignal): void;

  /** Shows another state, unless it comes from a visit that is over. */
  protected become(state: State, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Returns what was thrown as an error: the application's `token` may throw anything. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("The token cannot be had.", { cause: reason });
}
