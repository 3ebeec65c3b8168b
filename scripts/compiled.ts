// Writes src/ledger/compiled: what clients need of the compiled contracts. With --check, writes nothing and fails when
// that is not what `hardhat build` has written last.
import { parseArgs } from "node:util";
import { whyStale, writeCompiled } from "./lib/compiled.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
if (values.check) {
  const why = await whyStale();
  if (why !== undefined) console.error(why);
  process.exitCode = why === undefined ? 0 : 1;
} else {
  console.log(`wrote ${(await writeCompiled()).join(", ")}`);
}
