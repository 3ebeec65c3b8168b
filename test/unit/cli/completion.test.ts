import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { createProgram } from "../../../src/cli/program.ts";
import { commandTree, allNodes } from "../../../src/cli/tree.ts";
import { run } from "./fixtures.ts";

/** A shell with the script loaded, if the machine has it; its standard output. */
function inShell(shell: string, script: string, commands: string): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(shell, ["-c", `${script}\n${commands}`], { encoding: "utf8" });
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function scriptFor(shell: string): Promise<string> {
  const { code, out } = await run(["completion", shell]);
  expect(code).to.equal(0);
  return out;
}

/** What bash would offer after these words, the last of which is being typed. */
async function offered(context: Mocha.Context, ...words: readonly string[]): Promise<readonly string[]> {
  const typed = ["feiqian", ...words].map((word) => `"${word}"`).join(" ");
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _feiqian; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = inShell("bash", await scriptFor("bash"), ask);
  if (answer === undefined) {
    console.warn("SKIPPED: completion in bash: this machine has no bash");
    return context.skip();
  }
  return answer.split("\n").filter((word) => word !== "");
}

describe("completion", () => {
  it("offers commands, their own commands and their options", async function () {
    expect(await offered(this, "rel")).to.deep.equal(["relay"]);
    expect(await offered(this, "relay", "")).to.include.members(["start", "check", "register", "--json"]);
    expect(await offered(this, "relay", "start", "--c")).to.deep.equal(["--config"]);
    expect(await offered(this, "keys", "new", "p")).to.deep.equal(["peer"]);
    expect(await offered(this, "completion", "")).to.include.members(["bash", "zsh", "fish"]);
  });

  it("takes no value of an option for a command", async function () {
    expect(await offered(this, "--url", "relay", "st")).to.have.members(["status", "stats"]);
    expect(await offered(this, "relay", "start", "--config", "")).to.deep.equal([]);
  });

  it("is a script that zsh and fish can read", async function () {
    const shells = { zsh: "compdef() { :; }\n", fish: "" };
    for (const [shell, before] of Object.entries(shells)) {
      const script = await scriptFor(shell);
      for (const { path } of allNodes(commandTree(createProgram(NO_IO)))) {
        expect(script).to.contain(path.split(" ").at(-1));
      }
      if (inShell(shell, `${before}${script}`, "true") === undefined) {
        console.warn(`SKIPPED: completion in ${shell}: this machine does not have it`);
      }
    }
  });

  it("is for shells that it knows", async () => {
    expect(await run(["completion", "tcsh"])).to.include({ code: 2 });
  });
});

/** Building the tree asks nothing of the world. */
const NO_IO = new Proxy(Object.create(null) as Parameters<typeof createProgram>[0], {
  get: () => {
    throw new Error("the world was asked");
  },
});

describe("the command line's reference", () => {
  it("says of every command, argument and option what it is for", () => {
    for (const node of allNodes(commandTree(createProgram(NO_IO)))) {
      expect(node.description, node.path).not.to.equal("");
      for (const { name, description } of node.arguments) expect(description, `${node.path} ${name}`).not.to.equal("");
      for (const { long, description } of node.options) expect(description, `${node.path} ${long}`).not.to.equal("");
    }
  });
});
