import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MANIFEST_FILE, manifestFile, parseManifest } from "../../../../deploy/besu/manifest.ts";
import { FolderInUse, readFolder, writeFiles } from "../../../../deploy/besu/output.ts";
import type { Files } from "../../../../deploy/besu/plan.ts";

/** Files with their manifest, as the generator makes them. */
function filesOf(texts: Readonly<Record<string, string>>): Files {
  const files = new Map(Object.entries(texts));
  return new Map([...files, [MANIFEST_FILE, manifestFile("test", files)]]);
}

const FIRST = filesOf({
  "genesis/genesis.json": "{}\n",
  "members/a/config.toml": "a=1\n",
  "members/b/config.toml": "b=1\n",
});
const SECOND = filesOf({
  "genesis/genesis.json": "{}\n",
  "members/a/config.toml": "a=2\n",
  "members/c/config.toml": "c=1\n",
});

describe("the folder of a network", () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "feiqian-network-"));
    folder = join(parent, "out");
  });
  afterEach(() => rm(parent, { recursive: true }));

  const refusal = async (files: Files): Promise<FolderInUse> => {
    try {
      await writeFiles(folder, files);
    } catch (error) {
      if (error instanceof FolderInUse) return error;
      throw error;
    }
    throw new Error("it was written");
  };
  const put = (path: string, text: string) => writeFile(join(folder, path), text);

  it("is made whole, and leaves nothing beside it", async () => {
    const written = await writeFiles(folder, FIRST);
    expect(written).to.deep.equal({ added: [...FIRST.keys()], changed: [], removed: [], unchanged: 0 });
    expect(await readFolder(folder)).to.deep.equal(new Map([...FIRST].toSorted()));
    expect(await readdir(parent)).to.deep.equal(["out"]);
  });

  it("may be there, if it is empty, and its parents need not be", async () => {
    await mkdir(folder);
    await writeFiles(folder, FIRST);
    await writeFiles(join(parent, "far", "away"), FIRST);
    expect((await readFolder(join(parent, "far", "away")))?.size).to.equal(FIRST.size);
  });

  it("is not there, nor anything beside it, when it cannot be written", async () => {
    const impossible = new Map([
      ["a", "a file"],
      ["a/b", "below a file"],
    ]);
    const failure = await writeFiles(folder, impossible).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.have.property("code");
    expect(await readdir(parent)).to.be.empty;
  });

  it("is brought up to date file by file, its folders staying what they are", async () => {
    await writeFiles(folder, FIRST);
    const before = await stat(join(folder, "members/a"));
    const written = await writeFiles(folder, SECOND);
    expect(written).to.deep.equal({
      added: ["members/c/config.toml"],
      changed: ["members/a/config.toml"],
      removed: ["members/b/config.toml"],
      unchanged: 2,
    });
    expect((await stat(join(folder, "members/a"))).ino).to.equal(before.ino);
    expect(await readFolder(folder)).to.deep.equal(new Map([...SECOND].toSorted()));
  });

  it("is not touched when it was not generated", async () => {
    await mkdir(folder);
    await put("precious.txt", "mine");
    expect((await refusal(FIRST)).message).to.contain("was not generated");
    await put(MANIFEST_FILE, "{}");
    expect((await refusal(FIRST)).files).to.be.empty;
    expect(await readFile(join(folder, "precious.txt"), "utf8")).to.equal("mine");
  });

  it("is not touched when what was changed or added by hand would be lost", async () => {
    await writeFiles(folder, FIRST);
    await put("members/a/config.toml", "a=3\n");
    await put("notes.md", "mine");
    const { files, message } = await refusal(SECOND);
    expect(files).to.deep.equal(["members/a/config.toml", "notes.md"]);
    expect(message).to.contain("network.json");
    expect(await readFile(join(folder, "members/b/config.toml"), "utf8")).to.equal("b=1\n");
  });

  it("has what was deleted made again", async () => {
    await writeFiles(folder, FIRST);
    await rm(join(folder, "members/a/config.toml"));
    const { added } = await writeFiles(folder, FIRST);
    expect(added).to.deep.equal(["members/a/config.toml"]);
  });

  it("is ended by the same again after an interruption", async () => {
    await writeFiles(folder, FIRST);
    // As a run for SECOND leaves it that was killed: one file done, the next one begun, the manifest still the old one.
    await put("members/a/config.toml", "a=2\n");
    await mkdir(join(folder, "members/c"));
    await put("members/c/config.toml.feiqian-unfinished", "c=");
    const { removed } = await writeFiles(folder, SECOND);
    expect(removed).to.deep.equal(["members/b/config.toml"]);
    expect(await readFolder(folder)).to.deep.equal(new Map([...SECOND].toSorted()));
  });

  it("has no file of elsewhere read through a link", async () => {
    await writeFiles(folder, FIRST);
    await writeFile(join(parent, "secret"), "a=1\n");
    await rm(join(folder, "members/a/config.toml"));
    await symlink(join(parent, "secret"), join(folder, "members/a/config.toml"));
    expect((await readFolder(folder))?.get("members/a/config.toml")).to.equal("");
    expect((await refusal(FIRST)).files).to.deep.equal(["members/a/config.toml"]);
  });

  it("is undefined where there is none", async () => {
    expect(await readFolder(join(parent, "nowhere"))).to.equal(undefined);
  });
});

describe("a manifest", () => {
  it("has one digest for the same files, and another for others", () => {
    const digest = (files: Files) => parseManifest(files.get(MANIFEST_FILE))?.digest;
    expect(digest(FIRST)).to.match(/^[0-9a-f]{64}$/);
    expect(digest(FIRST)).not.to.equal(digest(SECOND));
  });

  it("is known as one, and nothing else is", () => {
    expect(parseManifest(FIRST.get(MANIFEST_FILE))?.files).to.have.property("genesis/genesis.json");
    for (const text of [undefined, "", "{", "[]", '{"format":"feiqian-besu-network/2"}']) {
      expect(parseManifest(text), text).to.equal(undefined);
    }
  });
});
