import { isCompiledFromSources, whyStale } from "./compiled.ts";
import { showProgress } from "./progress.ts";
import { run } from "./run.ts";
import type { Say } from "./script.ts";

/**
 * Compiles the contracts where the committed code is not theirs any more, and says so from the first second on: it takes
 * half a minute, and longer on a busy machine.
 * @param network where they are deployed; Ignition's journal has what the compiler wrote, so one that persists needs that
 * @throws Error when they do not compile, and the compiler has said why; or when clients would know other contracts
 */
export async function compileContracts(say: Say, network?: string): Promise<void> {
  if (network === undefined && (await isCompiledFromSources())) return;
  await showProgress("Compiling the contracts …", say, async () => {
    // A caller's stdout may be read by a program.
    const command = { program: "hardhat", args: ["build", "--quiet", "--no-tests"] };
    const { status } = await run(command, { capture: true, output: process.stderr });
    if (status !== 0) throw new Error("the contracts do not compile");
  });
  const why = await whyStale();
  if (why !== undefined) throw new Error(why);
}
