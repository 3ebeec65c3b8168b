import { writeFile } from "node:fs/promises";
import { createKeystore } from "../../ledger/keys/keystore.ts";
import { encryptPeerKeys, generatePeerKeys, publicPeerKeys } from "../../features/peers/keys.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { readSecretFile, renderFacts, writeFor, type Session } from "../../command/session.ts";

interface MadeKey {
  readonly kind: string;
  readonly file: string;
  /** What others are to know of it. */
  readonly public?: Readonly<Record<string, string>>;
}

type MakeKey = (session: Session, file: string, password: () => Promise<string>) => Promise<MadeKey["public"]>;

const NEW_FILE = "a file that does not exist yet, in a folder that does";
const DATA_KEY_BYTES = 32;
const WALLET_SECRET_BYTES = 32;

const NEW_KEYS: Readonly<Record<string, MakeKey>> = {
  async ledger(session, file, password) {
    const existing = session.text("import");
    const options = existing === undefined ? {} : { privateKey: await readSecretFile(existing, "--import") };
    const under = await password();
    const create = () => createKeystore(file, under, session.io.drawBytes, options);
    return { address: await writeFor(file, "file", NEW_FILE, create) };
  },
  async peer(_session, file, password) {
    const keys = generatePeerKeys();
    await writeSecret(file, await encryptPeerKeys(keys, await password()));
    return { ...publicPeerKeys(keys) };
  },
  async data({ io }, file) {
    await writeSecret(file, Buffer.from(io.drawBytes(DATA_KEY_BYTES)).toString("hex"));
    return undefined;
  },
  async wallet({ io }, file) {
    await writeSecret(file, `whsec_${Buffer.from(io.drawBytes(WALLET_SECRET_BYTES)).toString("base64")}`);
    return undefined;
  },
};

/** Makes a key that a relay works with, and writes it to a file. */
export async function createFile(session: Session, [kind = "", file = ""]: readonly string[]): Promise<void> {
  const password = async (): Promise<string> => {
    const path = session.text("passwordFile");
    if (path === undefined) throw new CommandFailure("USAGE", `a ${kind} key is encrypted: give --password-file`);
    return readSecretFile(path, "--password-file");
  };
  const told = await NEW_KEYS[kind]?.(session, file, password);
  const made: MadeKey = { kind, file, ...(told === undefined ? {} : { public: told }) };
  session.print(made, () => renderFacts([["written to", file], ...Object.entries(told ?? {})]));
}

async function writeSecret(file: string, secret: string): Promise<void> {
  await writeFor(file, "file", NEW_FILE, () => writeFile(file, `${secret}\n`, { mode: 0o600, flag: "wx" }));
}
