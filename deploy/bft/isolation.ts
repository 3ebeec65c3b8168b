// Each validator in a network namespace of its own, so that it can be cut off from the others.
//
// A namespace lives as long as a process in it, and its cables go with it: nothing is left when this process is gone. Each
// validator has two cables: one to this machine, for clients, and one to a hub in a namespace of its own, which is the
// only way to the other validators.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { drawSecurely } from "../../src/kernel/secure-random.ts";
import { runSystem } from "./command.ts";
import type { Link } from "./validator.ts";

/** Where a validator is. */
export interface Place {
  /** Its address among the validators. */
  readonly p2pHost: string;
  /** Its address for this machine. */
  readonly rpcHost: string;
  /** The words before a command that is to run there. */
  readonly launcher: readonly string[];
  readonly link: Link;
}

export interface IsolatedNetwork {
  readonly places: readonly Place[];
  stop(): Promise<void>;
}

interface Namespace {
  readonly pid: number;
  readonly launcher: readonly string[];
  /** Runs ip there. */
  ip(words: string): Promise<void>;
  end(): Promise<void>;
}

const HUB = "hub0";
const PEERS = "192.168.77";
/** RFC 2544's addresses for tests of networks, 198.18.0.0/15: no real network has them. One /24 a ledger. */
const SUBNETS = 512;
const MAX_TRIES = 20;
/**
 * How often an unanswered packet is sent again before its connection is given up: about three seconds, not a quarter of
 * an hour, so that both sides of a cut dial anew, and find each other soon after it is healed.
 */
const TCP_RETRIES = 3;
/** And as soon for connections of a validator that is no more: they keep its namespace for so long. */
const ORPHAN_RETRIES = 1;
const SETTINGS =
  `echo ${TCP_RETRIES} > /proc/sys/net/ipv4/tcp_retries2 && ` +
  `echo ${ORPHAN_RETRIES} > /proc/sys/net/ipv4/tcp_orphan_retries`;

/** Whether validators can be isolated here: Linux, as root, with iproute2 and util-linux. */
export async function canIsolate(): Promise<boolean> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const script =
    `ip link add name ${HUB} type bridge && ip link add name a type veth peer name b && ` +
    `${SETTINGS} && nsenter --net=/proc/$$/ns/net true`;
  return runSystem("unshare", "--net", "sh", "-c", script).then(
    () => true,
    () => false,
  );
}

/** Makes places for so many validators. */
export async function isolate(count: number): Promise<IsolatedNetwork> {
  const namespaces: Namespace[] = [];
  const cables: string[] = [];
  const stop = async () => {
    // The kernel takes them away with the namespaces, but in its own time.
    await Promise.allSettled(cables.map(async (cable) => runSystem("ip", "link", "delete", cable)));
    await Promise.all(namespaces.map(async (namespace) => namespace.end()));
  };
  const makeNamespace = async () => {
    const namespace = await keepNamespace();
    namespaces.push(namespace);
    return namespace;
  };
  try {
    const hub = await makeNamespace();
    await hub.ip(`link add name ${HUB} type bridge`);
    await hub.ip(`link set ${HUB} up`);
    const subnet = await freeSubnet();
    const places: Place[] = [];
    for (let index = 0; index < count; index++) {
      const namespace = await makeNamespace();
      cables.push(`fq${subnet.id}v${index}`);
      places.push(await plug(namespace, hub, subnet, index));
    }
    return { places, stop };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function keepNamespace(): Promise<Namespace> {
  // Says when it is in its namespace, then reads what nobody writes: its input ends when this process does.
  const script = `${SETTINGS} && ip link set lo up && echo there && exec cat`;
  const keeper = spawn("unshare", ["--net", "sh", "-c", script], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  const isThere = await Promise.race([
    once(keeper.stdout, "data").then(() => true),
    once(keeper, "exit").then(() => false),
  ]);
  if (!isThere || keeper.pid === undefined) throw new Error("no network namespace could be made");
  const namespace = `/proc/${keeper.pid}/ns/net`;
  const launcher = ["nsenter", `--net=${namespace}`, "--"];
  return {
    pid: keeper.pid,
    launcher,
    ip: async (command) => {
      await runSystem("nsenter", `--net=${namespace}`, "--", "ip", ...command.split(" "));
    },
    end: async () => {
      const gone = keeper.exitCode === null && keeper.signalCode === null ? once(keeper, "exit") : undefined;
      keeper.stdin.end();
      await gone;
    },
  };
}

interface Subnet {
  readonly id: number;
  readonly prefix: string;
}

async function freeSubnet(): Promise<Subnet> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const id = Buffer.from(drawSecurely(2)).readUInt16BE() % SUBNETS;
    const prefix = `198.${18 + Math.floor(id / 256)}.${id % 256}`;
    if ((await runSystem("ip", "-4", "route", "show", "root", `${prefix}.0/24`)) === "") return { id, prefix };
  }
  throw new Error("no addresses left for another isolated ledger");
}

async function plug(namespace: Namespace, hub: Namespace, { id, prefix }: Subnet, index: number): Promise<Place> {
  const cable = `fq${id}v${index}`;
  const port = `port${index}`;
  const rpcHost = `${prefix}.${2 * index + 1}`;
  const p2pHost = `${PEERS}.${index + 1}`;
  const host = async (words: string) => runSystem("ip", ...words.split(" "));

  await host(`link add name ${cable} type veth peer name clients netns ${namespace.pid}`);
  await host(`address add ${prefix}.${2 * index}/31 dev ${cable}`);
  await host(`link set ${cable} up`);
  await namespace.ip(`address add ${rpcHost}/31 dev clients`);
  await namespace.ip("link set clients up");

  await hub.ip(`link add name ${port} type veth peer name peers netns ${namespace.pid}`);
  await hub.ip(`link set ${port} master ${HUB} up`);
  await namespace.ip(`address add ${p2pHost}/24 dev peers`);
  await namespace.ip("link set peers up");
  const link = {
    // Out of the hub: the cable stays up at both ends, and what is sent into it gets lost.
    cut: async () => hub.ip(`link set ${port} nomaster`),
    heal: async () => hub.ip(`link set ${port} master ${HUB}`),
  };
  return { p2pHost, rpcHost, launcher: namespace.launcher, link };
}
