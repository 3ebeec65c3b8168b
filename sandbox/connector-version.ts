import { z } from "zod/v4";
import { CONNECTOR_VERSION, UNSUPPORTED_VERSION } from "../src/domain/versions.ts";

/** Without one it is the first: relays did not say it then. */
const versioned = z.object({ version: z.number().default(CONNECTOR_VERSION) });

/** A relay asked in a version of the connector that is not spoken here. */
export class UnsupportedVersion extends Error {
  /** What it is answered, with 400. */
  readonly answer = { code: UNSUPPORTED_VERSION, versions: [CONNECTOR_VERSION] };
}

/** @throws UnsupportedVersion */
export function requireVersion(body: unknown): void {
  const { data } = versioned.safeParse(body);
  if (data !== undefined && data.version !== CONNECTOR_VERSION) throw new UnsupportedVersion("another version");
}
