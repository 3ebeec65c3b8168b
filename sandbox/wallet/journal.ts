import { open, readFile } from "node:fs/promises";

/** Lines that are only ever added. */
export interface Journal {
  /** What was there when it was opened. */
  readonly lines: readonly string[];
  /** Takes a line, which is durable once a later `flush` has resolved. */
  append(line: string): void;
  /** Resolves when every line taken so far is on disk. Rejects for good after a line could not be written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A journal that is gone with its process. */
export function memoryJournal(): Journal {
  return { lines: [], append: () => undefined, flush: () => Promise.resolve(), close: () => Promise.resolve() };
}

/** The whole lines of a journal's file: what a crash has cut short was never told to anybody. None where it is not there. */
export async function readJournal(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return "";
    throw failure;
  });
  return wholeLines(text);
}

/** Opens a journal in a file, made where it is not there. One process at a time may have it open. */
export async function openJournal(path: string): Promise<Journal> {
  const lines = await readJournal(path);
  const handle = await open(path, "a");
  await handle.truncate(lines.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0));
  let waiting: string[] = [];
  let written: Promise<void> = Promise.resolve();
  const write = async () => {
    const taken = waiting;
    if (taken.length === 0) return;
    waiting = [];
    await handle.appendFile(taken.map((line) => `${line}\n`).join(""));
    await handle.datasync();
  };
  const flush = (): Promise<void> => {
    written = written.then(write);
    return written;
  };
  return {
    lines,
    append: (line) => void waiting.push(line),
    flush,
    async close() {
      await flush();
      await handle.close();
    },
  };
}

function wholeLines(text: string): readonly string[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}
