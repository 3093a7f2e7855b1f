import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { NotAdministrator, Unavailable } from "../src/api/errors";
import { ResourceMemory, useResource } from "../src/resource";

const refused = vi.fn();
const within = ({ children }: { children: ReactNode }) => (
  <StrictMode>
    <ResourceMemory refused={refused}>{children}</ResourceMemory>
  </StrictMode>
);
const settle = (milliseconds = 0) => act(() => vi.advanceTimersByTimeAsync(milliseconds));

beforeEach(() => {
  vi.useFakeTimers();
  refused.mockClear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe("a resource", () => {
  it("is read, and read again as often as asked for", async () => {
    let read = 0;
    const { result } = renderHook(() => useResource("a", async () => (read += 1), 1_000), { wrapper: within });
    await settle();
    const first = read;
    expect(result.current).toMatchObject({ data: first, error: null, busy: false });
    await settle(1_000);
    expect(result.current.data).toBe(first + 1);
  });

  it("is aborted and read no more when the view is left", async () => {
    const signals: AbortSignal[] = [];
    const load = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    };
    const { unmount } = renderHook(() => useResource("a", load, 1_000), { wrapper: within });
    await settle();
    unmount();
    const reads = signals.length;
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    await settle(10_000);
    expect(signals).toHaveLength(reads);
  });

  it("keeps what was read where a later read fails, and tries again more slowly", async () => {
    let reads = 0;
    let down = false;
    const load = async () => {
      reads += 1;
      if (down) throw new Unavailable("away", false);
      return "read";
    };
    const { result } = renderHook(() => useResource("a", load, 1_000), { wrapper: within });
    await settle();
    down = true;
    await settle(1_000);
    expect(result.current).toMatchObject({ data: "read", error: { message: "away" } });
    const before = reads;
    await settle(1_999);
    expect(reads).toBe(before);
    await settle(1);
    expect(reads).toBe(before + 1);
    down = false;
    act(() => result.current.refresh());
    await settle();
    expect(result.current).toMatchObject({ data: "read", error: null });
  });

  it("tells the page where whoever is signed in is taken no more, and stops", async () => {
    let reads = 0;
    const load = async () => {
      reads += 1;
      throw new NotAdministrator("no");
    };
    renderHook(() => useResource("a", load, 1_000), { wrapper: within });
    await settle();
    const before = reads;
    expect(refused).toHaveBeenCalledWith(expect.any(NotAdministrator));
    await settle(60_000);
    expect(reads).toBe(before);
  });

  it("is not read without a key", async () => {
    const load = vi.fn(async () => 1);
    renderHook(() => useResource(null, load), { wrapper: within });
    await settle(1_000);
    expect(load).not.toHaveBeenCalled();
  });
});
