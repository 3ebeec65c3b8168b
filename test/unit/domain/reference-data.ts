import { existsSync, readFileSync } from "node:fs";

const SHARED_DATA = new URL("../../../../shared/data/", import.meta.url);

/**
 * Text of a reference file that is not part of the project, beside which it may or may not be checked out. Where it is
 * missing, says so and skips the running test.
 */
export function referenceText(test: Mocha.Context, path: string): string {
  const file = new URL(path, SHARED_DATA);
  if (!existsSync(file)) {
    console.warn(`SKIPPED, reference data missing: ../shared/data/${path} (${test.test?.fullTitle() ?? "a test"})`);
    test.skip();
  }
  return readFileSync(file, "utf8");
}
