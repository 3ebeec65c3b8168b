import { appendFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import type { SubmitRequest } from "../../../src/schema/transfers.ts";

// A wallet's program that is killed at a step of its outbox: `node dying-wallet.ts JSON`. The outbox is as it is; what it
// asks of the system is watched.

/** The steps of one submission, in their order. */
export const STEPS = [
  "drafting",
  "writing",
  "syncing",
  "renaming",
  "kept",
  "sending",
  "answered",
  "storing",
  "stored",
  "removed",
] as const;
export type Step = (typeof STEPS)[number];

export interface DyingWallet {
  readonly url: string;
  readonly key: string;
  readonly folder: string;
  /** A file: an outcome a line. */
  readonly books: string;
  readonly request: SubmitRequest;
  readonly diesAt: Step;
}

if (import.meta.main) await live(JSON.parse(process.argv[2] ?? "") as DyingWallet);

async function live({ url, key, folder, books, request, diesAt }: DyingWallet): Promise<void> {
  const reach = async (step: Step): Promise<void> => {
    if (step !== diesAt) return;
    process.kill(process.pid, "SIGKILL");
    await Promise.withResolvers<never>().promise;
  };
  watchFiles(reach);
  // Only now, for what it imports of the system is what is watched.
  const { createClient, openOutbox } = await import("../../../sdk/index.ts");
  const client = createClient({ url, key });
  const outbox = await openOutbox({
    client: {
      ...client,
      async submit(given) {
        await reach("sending");
        try {
          return await client.submit(given);
        } finally {
          await reach("answered");
        }
      },
    },
    folder,
    async onOutcome(outcome) {
      await reach("storing");
      appendFileSync(books, `${JSON.stringify({ uetr: outcome.request.uetr, kind: outcome.kind })}\n`, { flush: true });
      await reach("stored");
    },
  });
  await outbox.submit(request);
}

function watchFiles(reach: (step: Step) => Promise<void>): void {
  const { open, rename, unlink } = { ...fs };
  fs.open = async (path, flags, mode) => {
    if (flags !== "wx") return open(path, flags, mode);
    await reach("drafting");
    const file = await open(path, flags, mode);
    const [write, sync] = [file.writeFile.bind(file), file.sync.bind(file)];
    file.writeFile = async (...given) => {
      await reach("writing");
      return write(...given);
    };
    file.sync = async () => {
      await reach("syncing");
      return sync();
    };
    return file;
  };
  fs.rename = async (from, to) => {
    await reach("renaming");
    await rename(from, to);
    await reach("kept");
  };
  fs.unlink = async (path) => {
    await unlink(path);
    await reach("removed");
  };
  syncBuiltinESMExports();
}
