/**
 * What can go wrong with a call.
 *
 *     ApiError
 *     ├── NotSignedIn      401, or there is no token
 *     ├── NotAdministrator 403
 *     ├── Refused          400, 404, 409, …: nothing was changed
 *     └── Unavailable      5xx, or no answer
 */
export abstract class ApiError extends Error {}

/** There is no sign-in that the API takes. */
export class NotSignedIn extends ApiError {
  constructor() {
    super("You are not signed in.");
  }
}

/** Whoever is signed in is not in the administrators' group. */
export class NotAdministrator extends ApiError {}

/** The call was understood and refused; nothing was changed. */
export class Refused extends ApiError {
  constructor(
    message: string,
    readonly status: number,
    /** A fixed word, where the control function gave one. */
    readonly code: string | null = null,
    /** The field that is wrong. */
    readonly field: string | null = null,
    /** The version at which the setting is. */
    readonly version: number | null = null,
  ) {
    super(message);
  }
}

/** The service did not answer, or not as it should. */
export class Unavailable extends ApiError {
  constructor(
    message: string,
    /** Whether what was asked for may have been done all the same. */
    readonly outcomeUnknown: boolean,
  ) {
    super(message);
  }
}
