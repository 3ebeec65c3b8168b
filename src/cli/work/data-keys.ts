import { hexOf } from "../../kernel/store/values.ts";
import { openOwnStore, openSealer } from "../../app/parts.ts";
import { keyUses, type KeyUse } from "../../kernel/store/sealed-rows.ts";
import { configOf } from "../config.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { tableOr, type Session } from "../../command/session.ts";

/** For so long a submission is taken to be repeated: after it, a repeat that cannot be compared is answered with 503. */
const REPEATABLE_MS = 7 * 86_400_000;

/** Counts what needs which data key. */
export async function countKeyUses(session: Session): Promise<void> {
  const config = await configOf(session);
  const sealer = openSealer(config);
  const names = new Map([
    [hexOf(sealer.currentKey).slice(2), "current"],
    ...sealer.previousKeys.map((key, index) => [hexOf(key).slice(2), `previousFiles.${index}`] as const),
  ]);
  const db = await openOwnStore(config);
  try {
    const uses = (await keyUses(db, session.io.clock.nowMs() - REPEATABLE_MS)).map((use) => ({
      ...use,
      is: names.get(use.key) ?? "not configured",
    }));
    const old = uses.filter(({ is }) => is !== "current").reduce((sum, { rows }) => sum + rows, 0);
    session.print({ uses, needOldKeys: old }, show);
    if (old > 0) throw new CommandFailure("NEGATIVE", `${old} rows still need a key that is not the current one`);
  } finally {
    await db.close();
  }
}

function show({ uses }: { readonly uses: readonly (KeyUse & { readonly is: string })[] }): string {
  return tableOr(
    "Nothing is sealed.",
    [
      { title: "table", value: ({ table }) => table },
      { title: "for", value: ({ use }) => (use === "sealed" ? "sealed data" : "repeated submissions") },
      { title: "key", value: ({ key }) => key },
      { title: "which is", value: ({ is }) => is },
      { title: "rows", value: ({ rows }) => String(rows), align: "right" },
    ],
    uses,
  );
}
