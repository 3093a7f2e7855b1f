/** The HTTP API: requests with the caller's token, answers as exact JSON, every refusal as a class of its own. */
import { ClientError, EncryptionOffError, NotAuthorizedError, UnavailableError, ValidationError } from "./errors.js";
import { type Json, JsonNumber, parseJson } from "./json.js";

/** Where the API is, and who calls. */
export interface ApiOptions {
  readonly api: string;
  readonly token: () => string | Promise<string>;
  readonly fetch?: typeof fetch | undefined;
}

/** A request; `body` is JSON text. */
export interface ApiRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Record<string, string> | undefined;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that is no refusal. */
export interface ApiAnswer {
  readonly body: Map<string, Json>;
  readonly etag: string | undefined;
}

/** The caller has no such session. */
export class NoSuchSession extends ClientError {
  constructor() {
    super("not-found", "There is no such session.");
  }
}

/** The session is not what If-Match or If-None-Match says. */
export class PreconditionFailed extends ClientError {
  constructor() {
    super("precondition-failed", "The session is not as it was.");
  }
}

/** Makes requests of the API. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = { ...options, api: options.api.replace(/\/+$/, "") };
  }

  /**
   * Returns the answer to a request.
   *
   * @throws ClientError one of its classes for each refusal. An aborted request rejects with the signal's reason.
   */
  async send(request: ApiRequest): Promise<ApiAnswer> {
    request.signal?.throwIfAborted();
    const token = await this.#options.token();
    request.signal?.throwIfAborted();
    const isWrite = request.method === "PUT" || request.method === "DELETE";
    let response: Response;
    let text: string;
    try {
      const send = this.#options.fetch ?? fetch;
      response = await send(this.#options.api + request.path, {
        method: request.method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
          ...request.headers,
        },
        body: request.body ?? null,
        signal: request.signal ?? null,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
      text = await response.text();
    } catch {
      request.signal?.throwIfAborted();
      throw new UnavailableError("The API cannot be reached.", isWrite);
    }
    const body = parsed(text);
    if (!response.ok) throw refusal(response, body, isWrite);
    if (response.status !== 204 && !body) throw unexpected();
    return { body: body ?? new Map(), etag: response.headers.get("ETag") ?? undefined };
  }
}

/** Returns the error for an answer that is not what the API documents. */
export function unexpected(): ClientError {
  return new ClientError("unexpected-answer", "The API answered something that this client does not know.");
}

function parsed(text: string): Map<string, Json> | undefined {
  try {
    const document = parseJson(text);
    return document instanceof Map ? document : undefined;
  } catch {
    return undefined;
  }
}

function refusal(response: Response, body: Map<string, Json> | undefined, isWrite: boolean): ClientError {
  // API Gateway's own answers have no statusCode: whether a function saw the request is then unknown.
  const isOurs = body?.get("statusCode") instanceof JsonNumber;
  const message = textOf(body, "message") ?? `The API answered ${response.status}.`;
  switch (response.status) {
    case 400:
      return new ValidationError(textOf(body, "field") ?? "request", message, "refused");
    case 401:
    case 403:
      return new NotAuthorizedError(message);
    case 404:
      return isOurs ? new NoSuchSession() : new ClientError("no-such-route", "The API has no such route.");
    case 409:
      return new EncryptionOffError(message);
    case 412:
      return new PreconditionFailed();
    case 413:
      return new ValidationError("body", message, "too-large");
  }
  if (response.status === 429 || response.status >= 500) {
    const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
    const inDoubt = isWrite && response.status >= 500 && (!isOurs || textOf(body, "outcome") === "unknown");
    return new UnavailableError(message, inDoubt, Number.isFinite(seconds) ? seconds : undefined);
  }
  return new ClientError("refused", message);
}

function textOf(body: Map<string, Json> | undefined, name: string): string | undefined {
  const value = body?.get(name);
  return typeof value === "string" && value !== "" ? value : undefined;
}
