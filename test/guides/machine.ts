// A machine of a reader's own: nobody else's ports, no network, and folders of the system that can be written to.
//
// It is in namespaces of the kernel: a network that has this machine's loopback addresses only, processes that all end with
// the first, and layers over /etc, /opt and /usr/local that are in memory. Nothing is left of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../support/until.ts";

const LAYERED = ["etc", "opt", "usr/local"];
/** A page's last block may be waited for while its first one stays. */
const BLOCK_TIMEOUT_MS = 1_800_000;
const SPACES = ["--mount", "--net", "--pid"];

/** A block that has been run: what the terminal shows, and every exit code that is not 0. */
export interface Done {
  readonly printed: string;
  readonly endings: readonly number[];
}

export interface Terminal {
  /** Types commands in, and waits until the last one has ended. */
  run(commands: string): Promise<Done>;
  /** What is shown of the block that runs. */
  shown(): string;
  /** Ctrl-C. */
  interrupt(): Promise<void>;
}

export interface Machine {
  open(): Terminal;
  /** Whether a command succeeds there. */
  succeeds(command: string): Promise<boolean>;
  end(): Promise<void>;
}

/**
 * @param folder for files of the machine's own
 * @returns undefined where none can be made: it takes Linux, root, util-linux and iproute2
 */
export async function startMachine(
  folder: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Machine | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const layers = LAYERED.map(
    (path) =>
      `mkdir -p ${folder}/${path}/upper ${folder}/${path}/work && mount -t overlay overlay ` +
      `-o lowerdir=/${path},upperdir=${folder}/${path}/upper,workdir=${folder}/${path}/work /${path}`,
  );
  // Reads what nobody writes: its input ends when this process does, and everything ends with it.
  const script = [`mount -t tmpfs tmpfs ${folder}`, ...layers, "ip link set lo up", "echo there", "exec cat"].join(
    " && ",
  );
  const args = [...SPACES, "--fork", "--kill-child", "--mount-proc", "sh", "-c", script];
  const keeper = spawn("unshare", args, { stdio: ["pipe", "pipe", "ignore"] });
  const isThere = await Promise.race([
    once(keeper.stdout, "data").then(() => true),
    once(keeper, "error").then(() => false),
    once(keeper, "exit").then(() => false),
  ]);
  const [init] = isThere && keeper.pid !== undefined ? await childrenOf(keeper.pid) : [];
  if (init === undefined) return undefined;
  const enter = (...words: readonly string[]) =>
    spawn("nsenter", [...SPACES, "--target", String(init), "--", ...words], options);
  return {
    open: () => openTerminal(enter("bash", "--noprofile", "--norc"), options.cwd, `${folder}.sh`),
    succeeds: async (command) => {
      const asked = enter("bash", "--noprofile", "--norc", "-c", command);
      asked.stdout.resume();
      asked.stderr.resume();
      return ((await once(asked, "exit")) as [number | null])[0] === 0;
    },
    end: async () => {
      const gone = once(keeper, "exit");
      keeper.stdin.end();
      await gone;
    },
  };
}

function openTerminal(shell: ReturnType<typeof spawn>, cwd: string, file: string): Terminal {
  const { stdin, stdout } = shell;
  if (stdin === null || stdout === null) throw new Error("a terminal without its streams");
  let shown = "";
  stdout.setEncoding("utf8").on("data", (text: string) => void (shown += text));
  const end = "end-of-block";
  // In one stream, as on a screen; entering a machine leads to its root. Exit codes are gathered where `set -e` would have ended the shell.
  stdin.write(`cd ${cwd}; exec 2>&1; ENDINGS=; trap 'ENDINGS="$ENDINGS $?"' ERR\n`);
  return {
    async run(commands) {
      shown = "";
      await writeFile(file, `${commands}\n:\n`);
      stdin.write(`source ${file} </dev/null; printf '\\n${end}%s\\n' "$ENDINGS"; ENDINGS=\n`);
      const done = new RegExp(`\\n${end}([ 0-9]*)\\n`);
      await until(() => {
        if (shell.exitCode !== null || shell.signalCode !== null) throw new Error(`the shell has ended:\n${shown}`);
        return done.test(shown);
      }, BLOCK_TIMEOUT_MS);
      const [printed = "", codes = ""] = shown.split(done);
      return {
        printed,
        endings: codes
          .split(" ")
          .filter((code) => code !== "")
          .map((code) => Number.parseInt(code, 10)),
      };
    },
    shown: () => shown,
    interrupt: async () => {
      // From nsenter to the shell, and from there to everything that it has started.
      const [bash] = shell.pid === undefined ? [] : await childrenOf(shell.pid);
      for (const pid of bash === undefined ? [] : await descendantsOf(bash)) process.kill(pid, "SIGINT");
    },
  };
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const listed = await readFile(join("/proc", String(pid), "task", String(pid), "children"), "utf8").catch(() => "");
  return listed
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => Number.parseInt(each, 10));
}

async function descendantsOf(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}
