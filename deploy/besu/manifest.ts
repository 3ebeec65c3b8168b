import { createHash } from "node:crypto";
import { z } from "zod/v4";
import type { Files } from "./plan.ts";

/** By it a folder is known as generated, and what has changed since. */
export const MANIFEST_FILE = "feiqian-network.json";

const FORMAT = "feiqian-besu-network/1";

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  network: z.string(),
  /** Of all the files below: two operators with the same value have the same files. */
  digest: z.string(),
  /** SHA-256 in hexadecimal, by path. */
  files: z.record(z.string(), z.string()),
});
export type Manifest = z.output<typeof manifestSchema>;

export function manifestFile(network: string, files: Files): string {
  const sums = [...files].map(([path, text]) => [path, sha256(text)] as const);
  const digest = sha256(sums.map(([path, sum]) => `${sum}  ${path}\n`).join(""));
  const manifest: Manifest = { format: FORMAT, network, digest, files: Object.fromEntries(sums) };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Undefined where it is none. */
export function parseManifest(text: string | undefined): Manifest | undefined {
  if (text === undefined) return undefined;
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
