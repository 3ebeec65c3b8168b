import { loadConfig, type RelayConfig } from "../app/config.ts";
import type { Session } from "../command/session.ts";

/** The relay's own configuration, for commands that work beside it. */
export function configOf(session: Session): Promise<RelayConfig> {
  return loadConfig(session.configFile(), session.io.environment);
}
