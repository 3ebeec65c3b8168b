import { unreadable, type Fault } from "./audit-config.ts";
import { GENESIS_FORKS, validatorsIn } from "./genesis.ts";
import { MIN_VALIDATORS } from "./plan-schema.ts";

interface FieldRule extends Omit<Fault, "subject"> {
  readonly field: string;
}

/** Fields that a genesis may not have, in lower case: Besu does not look at their case either. */
const CONFIG_RULES: readonly FieldRule[] = [
  {
    field: "clique",
    kind: "removed",
    reason: "Clique was removed from Besu in 2026",
    instead: "qbft",
  },
  {
    field: "ibft",
    kind: "removed",
    reason: "IBFT 1.0 is not supported by Besu",
    instead: "qbft",
  },
  {
    field: "ibft2",
    kind: "dangerous",
    reason: "this network's consensus is QBFT; Besu takes the first one that it finds",
    instead: "qbft alone",
  },
  {
    field: "ethash",
    kind: "dangerous",
    reason: "blocks would be final by nobody's signature",
    instead: "qbft alone",
  },
  {
    field: "fixeddifficulty",
    kind: "dangerous",
    reason: "blocks would be final by nobody's signature",
    instead: "qbft alone",
  },
  {
    field: "terminaltotaldifficulty",
    kind: "dangerous",
    reason: "the node would wait for a consensus client",
    instead: "leave it out",
  },
];

/** Of the section `qbft`, and of its transitions. */
const QBFT_RULES: readonly FieldRule[] = [
  {
    field: "xemptyblockperiodseconds",
    kind: "removed",
    reason: "it was removed in Besu 26.8.1, which would ignore it",
    instead: "emptyblockperiodseconds",
  },
  {
    field: "xblockperiodmilliseconds",
    kind: "dangerous",
    reason: "blocks of less than a second are experimental, for tests only",
    instead: "blockperiodseconds of 1 or more",
  },
  {
    field: "blockreward",
    kind: "dangerous",
    reason: "it makes native money with every block; this network has none",
    instead: "leave it out",
  },
  {
    field: "miningbeneficiary",
    kind: "dangerous",
    reason: "there is nothing to pay anybody",
    instead: "leave it out",
  },
  {
    field: "validatorcontractaddress",
    kind: "dangerous",
    reason: "validators are voted in and out by validators here; a contract would decide in their place",
    instead: "leave it out",
  },
];

type Json = ReadonlyMap<string, unknown>;

/** What is wrong with a genesis file. */
export function auditGenesis(text: string): readonly Fault[] {
  const genesis = parseObject(text);
  if (genesis === undefined) return [unreadable("JSON object")];
  const config = objectAt(genesis, "config");
  const qbft = objectAt(config, "qbft");
  const transitions = objectAt(config, "transitions").get("qbft");
  const changes = Array.isArray(transitions) ? transitions.map(toMap) : [];
  return [
    ...broken(config, "config", CONFIG_RULES),
    ...(config.has("qbft") ? [] : [dangerous("config.qbft", "without it there is no QBFT", "as it was generated")]),
    ...GENESIS_FORKS.filter((fork) => config.get(fork.toLowerCase()) !== 0).map((fork) =>
      dangerous(
        `config.${fork}`,
        "the contracts need Cancun from the first block on, and every fork before it",
        `"${fork}": 0`,
      ),
    ),
    ...(config.get("zerobasefee") === true
      ? []
      : [dangerous("config.zeroBaseFee", "relays have nothing to pay a base fee with", '"zeroBaseFee": true')]),
    ...broken(qbft, "config.qbft", QBFT_RULES),
    ...changes.flatMap((change, index) => broken(change, `config.transitions.qbft.${index}`, QBFT_RULES)),
    ...changes.flatMap((change, index) => auditTransition(change, `config.transitions.qbft.${index}`)),
    ...auditAlloc(objectAt(genesis, "alloc")),
    ...auditExtraData(genesis.get("extradata")),
  ];
}

/** A genesis with forks by time has the `block` of a transition read as a time, for all that it changes but validators. */
function auditTransition(change: Json, path: string): readonly Fault[] {
  return [...change.keys()]
    .filter((field) => field !== "block" && field !== "validators")
    .map((field) =>
      dangerous(
        `${path}.${field}`,
        "where forks are activated by time, as Cancun, Besu reads the block of this change as a time",
        "a transition of validators alone; other values as they were from the first block",
      ),
    );
}

function auditAlloc(alloc: Json): readonly Fault[] {
  return [...alloc.keys()].map((account) =>
    dangerous(
      `alloc.${account}`,
      "nobody is given native money, and contracts are deployed where all can verify it",
      '"alloc": {}',
    ),
  );
}

function auditExtraData(extraData: unknown): readonly Fault[] {
  const validators = validatorsIn(extraData);
  if (validators !== undefined && validators.length >= MIN_VALIDATORS) return [];
  const reason =
    validators === undefined
      ? "it is not the RLP of vanity, validators, vote, round and seals"
      : `${validators.length} validators bear no faulty one; ${MIN_VALIDATORS} do`;
  return [dangerous("extraData", reason, "as it was generated")];
}

function broken(section: Json, path: string, rules: readonly FieldRule[]): readonly Fault[] {
  return rules
    .filter(({ field }) => section.has(field))
    .map(({ field, ...fault }) => ({ subject: `${path}.${field}`, ...fault }));
}

function dangerous(subject: string, reason: string, instead: string): Fault {
  return { kind: "dangerous", subject, reason, instead };
}

function parseObject(text: string): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? toMap(parsed) : undefined;
  } catch {
    return undefined;
  }
}

function objectAt(json: Json, name: string): Json {
  return toMap(json.get(name));
}

/** Its members by their names in lower case; none where it is no object. */
function toMap(value: unknown): Json {
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(members.map(([name, member]): [string, unknown] => [name.toLowerCase(), member]));
}
