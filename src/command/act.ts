import type { Command } from "commander";
import type { Io } from "./io.ts";
import { openSession, type Session } from "./session.ts";

/** Makes a command's work an action of commander, which hands over its arguments, its options and itself, in this order. */
export function act(
  io: Io,
  work: (session: Session, args: readonly string[]) => Promise<void>,
): (this: Command, ...given: unknown[]) => Promise<void> {
  return async function (this: Command) {
    await work(openSession(io, this), this.args);
  };
}

/** Adds commands to the program. What runs only some of them is loaded by those. */
export type AddCommands = (program: Command, io: Io) => void;
