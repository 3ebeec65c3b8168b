import type { Clock } from "../kernel/clock/clock.ts";

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** All that a command has to do with the world. */
export interface Io {
  readonly out: Output;
  readonly err: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly drawBytes: (length: number) => Uint8Array;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Signals for a command that runs until it is told to stop. */
  readonly onStop: (signal: "SIGTERM" | "SIGINT", listener: () => void) => void;
  /** The operating system's user: who an operator's action is put down to. */
  readonly user: string;
}
