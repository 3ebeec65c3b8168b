// Writes the WebAssembly that hashes: src/domain/bytes/hashing-wasm.ts. With --check, writes nothing and fails when that is
// not what its source compiles to.
import { parseArgs } from "node:util";
import { whyWasmIsStale, writeWasm } from "./lib/wasm.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
if (values.check) {
  const why = await whyWasmIsStale();
  if (why !== undefined) console.error(why);
  process.exitCode = why === undefined ? 0 : 1;
} else {
  console.log(`wrote ${await writeWasm()}`);
}
