import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// AWS's packages look for a browser's global object, and React for word that updates are waited for.
Object.assign(globalThis, { self: globalThis, IS_REACT_ACT_ENVIRONMENT: true });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
