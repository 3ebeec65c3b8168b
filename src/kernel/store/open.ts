import { InvalidInput } from "../../domain/errors.ts";
import type { Database } from "./database.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";

/** Where a relay's database is: PostgreSQL under a URL, or the embedded one in a folder. */
export interface DatabaseLocation {
  readonly url?: string | undefined;
  readonly folder?: string | undefined;
}

/**
 * Opens a relay's database: PostgreSQL where there is a URL, the embedded one in the folder otherwise.
 * @throws InvalidInput when neither is given, or the URL is none of PostgreSQL
 * @throws StoreUnavailable when the server cannot be reached, or another process has the folder open
 */
export async function openDatabase({ url, folder }: DatabaseLocation): Promise<Database> {
  if (url !== undefined) return openPostgres(url);
  if (folder === undefined) throw new InvalidInput("database", "a URL of PostgreSQL, or a folder");
  return openPglite(folder);
}
