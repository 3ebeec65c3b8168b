import type { Provider } from "ethers";
import type { Clock } from "../../../src/kernel/clock/clock.ts";

/** A provider, some of whose methods are others. */
export function withMethods(provider: Provider, methods: Partial<Provider>): Provider {
  return new Proxy(provider, {
    get(target, name) {
      const own: unknown = Reflect.get(methods, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      // Private fields are the original's only.
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A clock on which only sleeping makes time pass, and at once. */
export interface FakeClock extends Clock {
  /** What happens whenever somebody sleeps. */
  onSleep: (nowMs: number) => Promise<void>;
}

export function fakeClock(): FakeClock {
  let now = 0;
  const clock: FakeClock = {
    onSleep: () => Promise.resolve(),
    nowMs: () => now,
    async sleep(durationMs) {
      now += durationMs;
      await clock.onSleep(now);
    },
  };
  return clock;
}
