import fc from "fast-check";
import { parse, parseAllDocuments } from "yaml";
import { parsePlan, type Files, type KeyReference, type NetworkPlan } from "../../../../deploy/besu/plan.ts";
import { exampleJson, examplePlan } from "./fixtures.ts";

/** Of a file that has to be there. */
export function textOf(files: Files, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new Error(`no file ${path}, of ${files.size}`);
  return text;
}

export type Tree = Readonly<Record<string, unknown>>;

/** A YAML file, read as programs do. */
export function yamlOf(files: Files, path: string): Tree {
  return tree(parse(textOf(files, path)));
}

export function documentsOf(files: Files, path: string): readonly Tree[] {
  return parseAllDocuments(textOf(files, path)).map((document) => tree(document.toJS()));
}

export function jsonOf(files: Files, path: string): Tree {
  return tree(JSON.parse(textOf(files, path)));
}

/** What is an object, as one. */
export function tree(value: unknown): Tree {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`no object: ${typeof value}`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** What is at a path below it. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((part, step) => tree(part)[step], value);
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${typeof value}`);
  // Array.isArray makes any[] of unknown.
  return value as readonly unknown[];
}

export function strings(value: unknown): readonly string[] {
  return list(value).map((item) => {
    if (typeof item !== "string") throw new Error(`no text: ${typeof item}`);
    return item;
  });
}

/** The example with its hosts as addresses, and keys of all kinds in one member's signer. */
export function addressPlan(): NetworkPlan {
  return variant({
    members: 4,
    hasAddresses: true,
    kinds: ["file", "vault", "aws-kms", "azure-key-vault"],
    digest: true,
  });
}

interface Variant {
  readonly members: number;
  readonly hasAddresses: boolean;
  readonly kinds: readonly KeyReference["kind"][];
  readonly digest?: boolean;
  readonly firstPort?: number;
  readonly emptyBlockPeriodSeconds?: number;
}

/** Plans of all sizes, as far as what is generated depends on them. */
export function anyPlan(): fc.Arbitrary<NetworkPlan> {
  return fc
    .record({
      members: fc.integer({ min: 4, max: 10 }),
      hasAddresses: fc.boolean(),
      kinds: fc.array(fc.constantFrom("file", "vault", "aws-kms", "azure-key-vault" as const), {
        minLength: 1,
        maxLength: 4,
      }),
      digest: fc.boolean(),
      firstPort: fc.integer({ min: 1_024, max: 60_000 }),
      emptyBlockPeriodSeconds: fc.integer({ min: 3, max: 60 }),
    })
    .map(variant);
}

function variant({ members, hasAddresses, kinds, digest, firstPort = 30_303, ...rest }: Variant): NetworkPlan {
  const example = examplePlan();
  const host = (name: string, member: number, part: number): string =>
    hasAddresses ? `10.20.${member + 1}.${part}` : name;
  const given: Tree = tree(JSON.parse(exampleJson()));
  const plan = {
    ...given,
    chain: { ...tree(given["chain"]), ...rest },
    images: {
      ...example.images,
      ...(digest === true ? { besu: `hyperledger/besu:26.9.0@sha256:${"0a".repeat(32)}` } : {}),
    },
    members: example.members.slice(0, members).map((member, index) => {
      const { address: _validator, ...validator } = member.validator;
      const { address: _rpc, ...rpc } = member.rpc;
      return {
        ...member,
        validator: {
          ...validator,
          host: host(validator.host, index, 11),
          p2pPort: firstPort,
          metricsPort: firstPort + 1,
        },
        rpc: {
          ...rpc,
          host: host(rpc.host, index, 12),
          p2pPort: firstPort,
          metricsPort: firstPort + 1,
          rpcPort: firstPort + 2,
        },
        relay: { metricsHost: host(member.relay.metricsHost, index, 13), metricsPort: 9_001 },
        signer: {
          host: host(member.relay.metricsHost, index, 13),
          port: 9_000,
          keys: kinds.map((kind, key) => keyOf(kind, `${member.name}-${key}`)),
        },
      };
    }),
  };
  return parsePlan(JSON.stringify(plan));
}

function keyOf(kind: KeyReference["kind"], name: string): KeyReference {
  switch (kind) {
    case "file":
      return { kind, path: `/srv/keys/${name}.json` };
    case "vault":
      return { kind, path: `secret/data/${name}`, field: "key" };
    case "aws-kms":
      return { kind, keyId: `alias/${name}`, region: "ap-southeast-1" };
    case "azure-key-vault":
      return { kind, vault: "feiqian-keys", name };
  }
}
