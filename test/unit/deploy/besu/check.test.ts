import { expect } from "chai";
import { auditFile, checkFiles, type Finding } from "../../../../deploy/besu/check.ts";
import { genesisFile } from "../../../../deploy/besu/genesis.ts";
import { nodeConfig } from "../../../../deploy/besu/node-config.ts";
import { permissionsFile } from "../../../../deploy/besu/permissions.ts";
import type { NodeRole } from "../../../../deploy/besu/layout.ts";
import { examplePlan, memberOf } from "./fixtures.ts";

function config(role: NodeRole = "rpc"): string {
  return nodeConfig(examplePlan(), memberOf(examplePlan(), "gcash"), role);
}

/** A node's configuration with an option set to something else, or left out. */
function configWith(option: string, value: string | undefined, role: NodeRole = "rpc"): string {
  const lines = config(role).split("\n");
  const others = lines.filter((line) => !line.startsWith(`${option}=`));
  return [...others, ...(value === undefined ? [] : [`${option}=${value}`])].join("\n");
}

/** What is found, as "kind subject". */
function faultsOf(path: string, text: string): readonly string[] {
  return auditFile(path, text).map(({ kind, subject = "" }) => `${kind} ${subject}`);
}

const faultsOfConfig = (option: string, value: string | undefined, role?: NodeRole) =>
  faultsOf("members/gcash/rpc/config.toml", configWith(option, value, role));

describe("a node's configuration that was changed by hand", () => {
  it("is refused for options that Besu has no more, by name", () => {
    for (const [option, value] of [
      ["permissions-nodes-contract-address", '"0x0000000000000000000000000000000000009999"'],
      ["permissions-accounts-contract-enabled", "true"],
      ["privacy-enabled", "true"],
      ["privacy-url", '"http://tessera:9101"'],
      ["Xp2p-tls-enabled", "true"],
      ["p2p-tls-keystore-file", '"x"'],
      ["Xpki-block-creation-enabled", "true"],
      ["network", '"dev"'],
      ["min-block-occupancy-ratio", "0.8"],
      ["sync-mode", '"FAST"'],
      ["rpc-http-api", '["ETH", "EEA", "PRIV"]'],
    ] as const) {
      expect(faultsOfConfig(option, value), option).to.deep.equal([`removed ${option}`]);
    }
  });

  it("is refused for dangerous options, by name", () => {
    for (const [option, value] of [
      ["rpc-http-cors-origins", '["*"]'],
      ["rpc-http-cors-origins", '["https://wallet.example.net"]'],
      ["host-allowlist", '["*"]'],
      ["host-allowlist", '["all"]'],
      ["rpc-http-api", '["ETH", "NET", "WEB3", "ADMIN"]'],
      ["rpc-http-api", '["debug"]'],
      ["rpc-ws-api", '["PERM", "TXPOOL"]'],
      ["discovery-enabled", "true"],
      ["bootnodes", "[]"],
      ["min-gas-price", "1000"],
      ["tx-pool", '"LAYERED"'],
      ["tx-pool-max-size", "100000000"],
      ["tx-pool-max-size", "-1"],
      ["permissions-nodes-config-file-enabled", "false"],
      ["permissions-accounts-config-file-enabled", "false"],
      ["rpc-http-authentication-enabled", "false"],
      ["rpc-http-authentication-enabled", undefined],
      ["rpc-http-tls-enabled", "false"],
      ["rpc-http-api-methods-no-auth", '["eth_call"]'],
      ["network", '"mainnet"'],
      ["override-genesis-config", '"chainId=1"'],
      ["strict-tx-replay-protection-enabled", "false"],
      ["graphql-http-enabled", "true"],
      ["Xrpc-ipc-enabled", "true"],
    ] as const) {
      expect(faultsOfConfig(option, value), `${option} ${value}`).to.deep.equal([`dangerous ${option}`]);
    }
  });

  it("is refused when an operator's API is opened to others", () => {
    expect(faultsOfConfig("rpc-http-host", '"0.0.0.0"', "validator")).to.deep.equal([
      "dangerous rpc-http-authentication-enabled",
      "dangerous rpc-http-tls-enabled",
      "dangerous rpc-http-api",
    ]);
    expect(faultsOfConfig("rpc-ws-host", '"10.0.0.1"')).to.deep.equal([
      "dangerous rpc-ws-authentication-enabled",
      "dangerous rpc-ws-ssl-enabled",
      "dangerous rpc-ws-api",
    ]);
    expect(faultsOfConfig("rpc-http-host", '"127.0.0.1"')).to.deep.equal([]);
  });

  it("is refused when Besu's own default would hold", () => {
    for (const option of [
      "discovery-enabled",
      "permissions-nodes-config-file-enabled",
      "permissions-accounts-config-file-enabled",
      "min-gas-price",
      "tx-pool",
      "genesis-file",
      "host-allowlist",
    ]) {
      expect(faultsOfConfig(option, undefined).at(-1), option).to.equal(`dangerous ${option}`);
    }
  });

  it("is refused for options that nobody has looked up, and when it cannot be read", () => {
    expect(faultsOfConfig("rpc-http-apl", '["ETH"]')).to.deep.equal(["unknown rpc-http-apl"]);
    expect(faultsOfConfig("toString", "true")).to.deep.equal(["unknown toString"]);
    expect(faultsOf("config.toml", "a=[")).to.deep.equal(["unreadable "]);
  });

  it("is told why, and what to do instead", () => {
    const text = configWith("permissions-nodes-contract-enabled", "true");
    expect(auditFile("config.toml", text)).to.deep.equal([
      {
        subject: "permissions-nodes-contract-enabled",
        kind: "removed",
        reason: "permissioning by contracts was removed in Besu 25.6.0",
        instead: "permissions-nodes-config-file and permissions-accounts-config-file, from network.json",
      },
    ]);
  });
});

describe("a genesis that was changed by hand", () => {
  const faults = (change: (genesis: Record<string, Record<string, unknown>>) => void) => {
    // The generator's own, which has these sections.
    const genesis = JSON.parse(genesisFile(examplePlan())) as Record<string, Record<string, unknown>>;
    change(genesis);
    return faultsOf("genesis/genesis.json", JSON.stringify(genesis));
  };
  const inConfig = (values: object) => faults(({ config: section }) => Object.assign(section ?? {}, values));
  const inQbft = (values: object) => inConfig({ qbft: { blockperiodseconds: 2, ...values } });

  it("is sound as it was generated", () => {
    expect(faults(() => undefined)).to.deep.equal([]);
  });

  it("is refused for another consensus", () => {
    expect(inConfig({ clique: { period: 5 } })).to.deep.equal(["removed config.clique"]);
    expect(inConfig({ ibft: {} })).to.deep.equal(["removed config.ibft"]);
    expect(inConfig({ ibft2: {} })).to.deep.equal(["dangerous config.ibft2"]);
    expect(inConfig({ Ethash: {} })).to.deep.equal(["dangerous config.ethash"]);
    expect(faults(({ config: section }) => delete section?.["qbft"])).to.deep.equal(["dangerous config.qbft"]);
  });

  it("is refused for removed and dangerous parameters of QBFT, in transitions, too", () => {
    expect(inQbft({ xemptyblockperiodseconds: 60 })).to.deep.equal(["removed config.qbft.xemptyblockperiodseconds"]);
    expect(inQbft({ xblockperiodmilliseconds: 200 })).to.deep.equal(["dangerous config.qbft.xblockperiodmilliseconds"]);
    expect(inQbft({ blockReward: "1" })).to.deep.equal(["dangerous config.qbft.blockreward"]);
    expect(inQbft({ validatorcontractaddress: "0x7777" })).to.have.lengthOf(1);
    expect(inConfig({ transitions: { qbft: [{ block: 9, blockreward: "1" }] } })).to.include(
      "dangerous config.transitions.qbft.0.blockreward",
    );
  });

  it("is refused for a transition by block of anything but validators: Besu would read the block as a time", () => {
    const validators = ["0x1", "0x2", "0x3", "0x4"];
    expect(inConfig({ transitions: { qbft: [{ block: 9, validators }] } })).to.deep.equal([]);
    expect(inConfig({ transitions: { qbft: [{ block: 9, validators, blockPeriodSeconds: 5 }] } })).to.deep.equal([
      "dangerous config.transitions.qbft.0.blockperiodseconds",
    ]);
  });

  it("is refused when it starts before Cancun, or asks for a base fee", () => {
    expect(inConfig({ cancunTime: 1_800_000_000 })).to.deep.equal(["dangerous config.cancunTime"]);
    expect(faults(({ config: section }) => delete section?.["londonBlock"])).to.deep.equal([
      "dangerous config.londonBlock",
    ]);
    expect(inConfig({ zeroBaseFee: false })).to.deep.equal(["dangerous config.zeroBaseFee"]);
  });

  it("is refused when it gives somebody money", () => {
    const account = "fe3b557e8fb62b89f4916b721be55ceb828dbd73";
    expect(faults((genesis) => (genesis["alloc"] = { [account]: { balance: "0x1" } }))).to.deep.equal([
      `dangerous alloc.${account}`,
    ]);
  });

  it("is refused without four validators", () => {
    const withExtraData = (extraData: unknown) =>
      faultsOf("genesis.json", JSON.stringify({ ...JSON.parse(genesisFile(examplePlan())), extraData }));
    const { genesis, ...plan } = examplePlan();
    const three = genesisFile({ ...plan, genesis: { ...genesis, validators: genesis.validators.slice(0, 3) } });
    expect(faultsOf("genesis.json", three)).to.deep.equal(["dangerous extraData"]);
    for (const extraData of ["0x", "0xc0", "text", 7, undefined]) {
      expect(withExtraData(extraData), String(extraData)).to.deep.equal(["dangerous extraData"]);
    }
    expect(faultsOf("genesis.json", "[]")).to.deep.equal(["unreadable "]);
  });
});

describe("other files that were changed by hand", () => {
  it("are refused for Besu's options on a command line or in the environment", () => {
    const compose = `services:
  validator:
    # --discovery-enabled=true is no option here
    command: ["--config-file=/etc/besu/config.toml", "--rpc-http-cors-origins=*", --network=dev]
    environment:
      BESU_RPC_HTTP_API: "ETH,NET,ADMIN"
      BESU_XP2P_TLS_ENABLED: "true"
      - BESU_HOST_ALLOWLIST=*
`;
    expect(faultsOf("compose.yaml", compose)).to.deep.equal([
      "dangerous validator: BESU_RPC_HTTP_HOST",
      "dangerous validator: BESU_RPC_WS_HOST",
      "dangerous rpc-http-cors-origins",
      "removed network",
      "dangerous rpc-http-api",
      "removed xp2p-tls-enabled",
      "dangerous host-allowlist",
    ]);
    expect(faultsOf("start.sh", "besu --rpc-http-api ETH,DEBUG --discovery-enabled")).to.deep.equal([
      "dangerous rpc-http-api",
      "dangerous discovery-enabled",
    ]);
    expect(faultsOf("README.md", compose)).to.deep.equal([]);
  });

  it("are refused where a variable of Besu's image opens what config.toml closes", () => {
    const service = (name: string, environment: string) =>
      `services:\n  ${name}:\n    command: ["--config-file=/etc/besu/config.toml"]\n    environment: ${environment}\n`;
    const closed = "{ BESU_RPC_HTTP_HOST: 127.0.0.1, BESU_RPC_WS_HOST: 127.0.0.1 }";
    expect(faultsOf("compose.yaml", service("validator", closed))).to.deep.equal([]);
    expect(faultsOf("compose.yaml", service("validator", "[BESU_OPTS=-Xmx1g]"))).to.deep.equal([
      "dangerous validator: BESU_RPC_HTTP_HOST",
      "dangerous validator: BESU_RPC_WS_HOST",
    ]);
    const open = "[BESU_RPC_HTTP_HOST=0.0.0.0, BESU_RPC_WS_HOST=127.0.0.1]";
    expect(faultsOf("compose.yaml", service("gcash-rpc", open))).to.deep.equal([]);
    expect(faultsOf("compose.yaml", service("gcash-validator", open))).to.deep.equal([
      "dangerous gcash-validator: BESU_RPC_HTTP_HOST",
    ]);
  });

  it("are refused as a signer's configuration with an option that would stop it", () => {
    expect(faultsOf("members/gcash/web3signer/config.yaml", "swagger-ui-enabled: false\n")).to.deep.equal([
      "removed swagger-ui-enabled",
    ]);
  });

  it("are refused as allow-lists that admit nobody", () => {
    expect(faultsOf("permissions_config.toml", permissionsFile(examplePlan()))).to.deep.equal([]);
    expect(faultsOf("permissions_config.toml", "nodes-allowlist=[]\n")).to.deep.equal([
      "dangerous nodes-allowlist",
      "dangerous accounts-allowlist",
    ]);
    expect(faultsOf("permissions_config.toml", "=")).to.deep.equal(["unreadable "]);
  });
});

describe("a folder and its plan", () => {
  const expected = new Map([
    ["a.txt", "one\ntwo\nthree\n"],
    ["feiqian-network.json", "{}"],
  ]);
  const kinds = (findings: readonly Finding[]) => findings.map(({ file, kind }) => `${kind} ${file}`);

  it("are the same, or not, file by file", () => {
    expect(checkFiles(expected, new Map(expected))).to.deep.equal([]);
    expect(kinds(checkFiles(expected, new Map([["b.txt", ""]])))).to.deep.equal([
      "missing a.txt",
      "extra b.txt",
      "missing feiqian-network.json",
    ]);
  });

  it("differ from a line on, of which nothing is quoted", () => {
    const found = new Map([...expected, ["a.txt", "one\nsecret\nthree\n"]] as const);
    const [finding] = checkFiles(expected, found);
    expect(finding).to.include({ file: "a.txt", kind: "changed" });
    expect(finding?.reason).to.contain("line 2").and.not.to.contain("secret");
    const longer = checkFiles(expected, new Map([...expected, ["a.txt", "one\ntwo\nthree\n\nfour"]]));
    expect(longer[0]?.reason).to.contain("line 5");
  });

  it("differ as a whole when another plan made the folder", () => {
    const [finding] = checkFiles(expected, new Map([...expected, ["feiqian-network.json", "[]"]]));
    expect(finding?.reason).to.contain("another network.json");
  });
});
