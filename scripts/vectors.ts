/**
 * Writes vectors/protocol.json: inputs and results of everything that the ledger and its TypeScript must compute alike.
 * Deterministic, so that the file changes only when the protocol does.
 */
import { writeFileSync } from "node:fs";
import { serializeVectors } from "./vectors/protocol.ts";

const file = new URL("../vectors/protocol.json", import.meta.url);
writeFileSync(file, serializeVectors());
console.log("wrote vectors/protocol.json");
