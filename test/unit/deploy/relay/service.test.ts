import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../../../src/command/exit-codes.ts";
import { parseConfigFile } from "../../../../src/app/config.ts";
import { fileOf, secretsIn } from "./files.ts";
import { systemdAnalyze, type Program } from "./programs.ts";

const UNIT = "feiqian-relay.service";
/** Tenths of systemd's 0 (nothing is left open) to 10. */
const MOST_EXPOSED = "20";

describe("The systemd service of a relay", () => {
  const text = fileOf(UNIT);
  const settings = settingsOf(text);
  const one = (key: string): string => {
    const [value, ...more] = settings.get(key) ?? [];
    expect(more, key).to.deep.equal([]);
    return value ?? "";
  };

  it("is a unit that systemd takes, and that leaves little open", async function () {
    const analyze = await systemdAnalyze();
    if (analyze === undefined) this.skip();
    await withUnit(async (path) => {
      expect(await analyze("verify", path)).to.equal("");
      await analyze("security", "--offline=true", `--threshold=${MOST_EXPOSED}`, path);
    }, text);
  });

  it("is checked by a systemd that refuses what is wrong", async function () {
    const analyze = await systemdAnalyze();
    if (analyze === undefined) this.skip();
    const wrong = text.replace("TimeoutStopSec=45s", "TimeoutStopSecs=45s");
    await withUnit(async (path) => expect(await analyze("verify", path)).to.contain("TimeoutStopSecs"), wrong);
    const open = text.replaceAll(/^(?:Protect|Private|Restrict|SystemCall|Dynamic|Capability).*\n/gm, "");
    await withUnit((path) => refused(analyze("security", "--offline=true", `--threshold=${MOST_EXPOSED}`, path)), open);
  });

  it("runs the relay on Node itself, so that a signal comes once", () => {
    expect(one("ExecStart")).to.match(/^\S+\/node \/opt\/feiqian\/bin\/feiqian\.js relay start$/);
    expect(one("KillMode")).to.equal("mixed");
    expect(one("KillSignal")).to.equal("SIGTERM");
  });

  it("is given a copy of every file that a relay reads, under the name that relay.yaml has for it", () => {
    const credentials = (settings.get("LoadCredential") ?? []).map((value) => value.split(":"));
    const names = credentials.map(([name]) => name);
    expect(new Set(names)).to.deep.equal(new Set([...secretsIn(fileOf("relay.yaml")), "relay.yaml", "addresses.json"]));
    for (const [name, path] of credentials) expect(path).to.equal(`/etc/feiqian/${String(name)}`);
    expect(one("Environment").split(" ")).to.include("FEIQIAN_CONFIG=%d/relay.yaml");
    // The same configuration with all files beside it.
    const beside = parseConfigFile(fileOf("relay.yaml").replaceAll("/run/secrets/", ""));
    expect(names).to.include.members([beside.dataKey.file, beside.database.urlFile, beside.peer.keys]);
  });

  it("waits for a relay to end what is under way", () => {
    const { drainSeconds } = parseConfigFile(fileOf("relay.yaml")).shutdown;
    expect(Number.parseInt(one("TimeoutStopSec"), 10)).to.be.at.least(drainSeconds + 10);
  });

  it("starts a relay again whatever it ended with, but for what the same again cannot fix, and not forever", () => {
    expect(one("Restart")).to.equal("always");
    const { USAGE, CONFIG } = EXIT_CODES;
    expect(one("RestartPreventExitStatus")).to.equal(`${USAGE.code} ${CONFIG.code}`);
    // Trying to reach what is away takes a minute each time: as often as that it may be tried forever.
    const limit = Number.parseInt(one("StartLimitIntervalSec"), 10) * 60;
    const burst = Number.parseInt(one("StartLimitBurst"), 10);
    const pause = Number.parseInt(one("RestartSec"), 10);
    expect(limit / (60 + pause)).to.be.below(burst);
    expect(limit / pause).to.be.above(burst);
  });
});

function settingsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = "", value = ""]) => ({ key, value }));
  return new Map(
    [...Map.groupBy(lines, ({ key }) => key)].map(([key, found]) => [key, found.map(({ value }) => value)]),
  );
}

/** The unit as a file of its own. Programs have to be where it says, so they are those of this machine. */
async function withUnit(use: (path: string) => Promise<unknown>, text: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-unit-"));
  const path = join(folder, UNIT);
  try {
    await writeFile(
      path,
      text
        .replace("=/usr/bin/node /opt/feiqian", `=${process.execPath} ${process.cwd()}`)
        .replace("file:///opt/feiqian", `file://${process.cwd()}`),
    );
    await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function refused(run: ReturnType<Program>): Promise<void> {
  const outcome = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(Error);
}
