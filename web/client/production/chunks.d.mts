/** Builds the client as an application's bundler would, in memory. */
export function chunks(): Promise<{ readonly fileName: string; readonly code: string }[]>;
