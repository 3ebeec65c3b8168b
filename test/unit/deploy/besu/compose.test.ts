import { expect } from "chai";
import fc from "fast-check";
import { posix } from "node:path";
import { parse as parseToml } from "smol-toml";
import { generate } from "../../../../deploy/besu/generate.ts";
import { NODE_PATHS } from "../../../../deploy/besu/container-paths.ts";
import { nodeConfig } from "../../../../deploy/besu/node-config.ts";
import type { Files, NetworkPlan } from "../../../../deploy/besu/plan.ts";
import { examplePlan, memberOf } from "./fixtures.ts";
import { RELAY_ALERTS } from "./relay-alerts.ts";
import { addressPlan, anyPlan, at, list, strings, textOf, tree, yamlOf, type Tree } from "./output-support.ts";

const RUNS = { numRuns: 6 };
/** Besu, Web3Signer, Prometheus and Grafana for each, and what makes a volume theirs. */
const OWN_SERVICES = ["validator-volume", "validator", "rpc-volume", "rpc", "web3signer", "prometheus", "grafana"];

describe("the compose files", () => {
  it("have every member's services, in its own and in the one of all", () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const files = generate(plan, RELAY_ALERTS);
        for (const { name } of plan.members) {
          expect(Object.keys(services(files, `members/${name}/compose.yaml`))).to.deep.equal(OWN_SERVICES);
        }
        const parts = ["validator-volume", "validator", "rpc-volume", "rpc", "web3signer"];
        const all = plan.members.flatMap(({ name }) => parts.map((part) => `${name}-${part}`));
        expect(Object.keys(services(files, "compose.yaml"))).to.deep.equal([...all, "prometheus", "grafana"]);
      }),
      RUNS,
    );
  });

  it("mount nothing but what is generated, volumes they declare, and secrets they declare", () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const files = generate(plan, RELAY_ALERTS);
        for (const path of composePaths(plan)) expectMountsToExist(files, path);
      }),
      RUNS,
    );
  });

  it("use no port twice on any machine", () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const files = generate(plan, RELAY_ALERTS);
        for (const path of composePaths(plan)) {
          const published = Object.values(services(files, path)).flatMap(portsOf);
          expect(new Set(published).size, path).to.equal(published.length);
        }
      }),
      RUNS,
    );
  });

  it("use only networks that they declare", () => {
    const plan = examplePlan();
    const files = generate(plan, RELAY_ALERTS);
    for (const path of composePaths(plan)) {
      const compose = yamlOf(files, path);
      const declared = Object.keys(tree(compose["networks"]));
      const used = Object.values(tree(compose["services"])).flatMap((service) => networksOf(service));
      expect(declared, path).to.include.members(used);
      expect(new Set(used), path).to.deep.equal(new Set(declared));
    }
  });

  it("publish of a validator its peers' port and its metrics only, of an RPC node the API in TLS besides", () => {
    const plan = examplePlan();
    const files = generate(plan, RELAY_ALERTS);
    const { validator, rpc, web3signer, grafana, prometheus } = services(files, "members/gcash/compose.yaml");
    const gcash = memberOf(plan, "gcash");
    expect(containerPorts(validator)).to.deep.equal([gcash.validator.p2pPort, gcash.validator.metricsPort].map(String));
    expect(containerPorts(rpc)).to.deep.equal(
      [gcash.rpc.p2pPort, gcash.rpc.metricsPort, gcash.rpc.rpcPort].map(String),
    );
    expect(parseToml(nodeConfig(plan, gcash, "rpc"))["rpc-http-tls-enabled"]).to.equal(true);
    expect(containerPorts(web3signer)).to.deep.equal([String(gcash.signer.port), "9001"]);
    expect(portsOf(grafana)).to.deep.equal(["127.0.0.1:3000:3000"]);
    expect(portsOf(prometheus)).to.deep.equal([]);
    // Never on all of a host's addresses.
    for (const port of [validator, rpc, web3signer].flatMap(portsOf)) expect(port).to.match(/^\$\{[A-Z]+_ADDRESS:\?/);
  });

  it("write a host's address where the plan has one", () => {
    const validator = services(generate(addressPlan(), RELAY_ALERTS), "members/alipay/compose.yaml")["validator"];
    expect(portsOf(validator)[0]).to.equal("10.20.1.11:30303:30303");
  });

  it("publish in the try-out only RPC nodes and Grafana, on the machine itself", () => {
    const plan = examplePlan();
    const all = services(generate(plan, RELAY_ALERTS), "compose.yaml");
    const publishing = Object.entries(all).filter(([, service]) => portsOf(service).length > 0);
    expect(publishing.map(([name]) => name)).to.deep.equal([
      ...plan.members.map(({ name }) => `${name}-rpc`),
      "grafana",
    ]);
    for (const [, service] of publishing) for (const port of portsOf(service)) expect(port).to.match(/^127\.0\.0\.1:/);
  });

  it("give nothing more than it needs: no root file system to write to, no privileges, bounded, watched", () => {
    const files = generate(addressPlan(), RELAY_ALERTS);
    for (const path of composePaths(addressPlan())) {
      for (const [name, given] of Object.entries(services(files, path))) {
        const service = tree(given);
        const what = `${path} ${name}`;
        expect(service["read_only"], what).to.equal(true);
        expect(service["security_opt"], what).to.deep.equal(["no-new-privileges:true"]);
        expect(service["cap_drop"], what).to.deep.equal(["ALL"]);
        expect(at(service, "deploy", "resources", "limits", "memory"), what).to.be.a("string");
        expect(service["privileged"], what).to.equal(undefined);
        if (name.endsWith("-volume")) {
          expect(service["restart"], what).to.equal("no");
          expect(service["network_mode"], what).to.equal("none");
          continue;
        }
        expect(service["restart"], what).to.equal("unless-stopped");
        expect(list(at(service, "healthcheck", "test")).length, what).to.be.greaterThan(1);
      }
    }
  });

  it("run a node as the user that its volume is given to, past the entry script, on the mounted configuration", () => {
    const { validator, "validator-volume": volume } = services(
      generate(examplePlan(), RELAY_ALERTS),
      "members/dana/compose.yaml",
    );
    expect(at(validator, "command")).to.deep.equal([`--config-file=${NODE_PATHS.config}`]);
    expect(at(validator, "entrypoint")).to.deep.equal(["/opt/besu/bin/besu"]);
    expect(at(volume, "entrypoint")).to.deep.equal(["chown", at(validator, "user"), NODE_PATHS.data]);
    expect(at(validator, "depends_on", "validator-volume", "condition")).to.equal("service_completed_successfully");
  });

  it("put all that a node's config.toml names where it says", () => {
    const plan = examplePlan();
    const files = generate(plan, RELAY_ALERTS);
    for (const role of ["validator", "rpc"] as const) {
      const service = services(files, "members/bkash/compose.yaml")[role];
      const secrets = list(at(service, "secrets")).map(
        (secret) => `${NODE_PATHS.secrets}/${String(at(secret, "target"))}`,
      );
      const mounts = strings(at(service, "volumes")).map((volume) => volume.split(":")[1] ?? "");
      const config = parseToml(textOf(files, `members/bkash/${role}/config.toml`));
      const named = Object.values(config).filter((value) => typeof value === "string" && value.startsWith("/"));
      expect(named.length).to.be.greaterThan(3);
      for (const path of named.map(String)) {
        const isThere =
          secrets.includes(path) || mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
        expect(isThere, path).to.equal(true);
      }
    }
  });

  it("have no default password for Grafana", () => {
    const grafana = services(generate(examplePlan(), RELAY_ALERTS), "compose.yaml")["grafana"];
    expect(at(grafana, "environment", "GF_SECURITY_ADMIN_PASSWORD__FILE")).to.equal(
      "/run/secrets/grafana-admin-password",
    );
    expect(tree(at(grafana, "environment"))).not.to.have.property("GF_SECURITY_ADMIN_PASSWORD");
  });

  it("ask for every variable by name, and the example of an environment has all of them", () => {
    const files = generate(examplePlan(), RELAY_ALERTS);
    for (const { name } of examplePlan().members) {
      const used = new Set(
        [...textOf(files, `members/${name}/compose.yaml`).matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)].map(
          ([, variable, rest]) => {
            expect(rest, `${name} ${String(variable)}`).to.match(/^:\?.+/);
            return variable;
          },
        ),
      );
      const filled = [...textOf(files, `members/${name}/env.example`).matchAll(/^([A-Z_]+)=$/gm)].map(
        ([, variable]) => variable,
      );
      expect(new Set(filled), name).to.deep.equal(used);
    }
  });

  it("give nodes of the try-out fixed addresses in one network, and the hosts' names with them", () => {
    const named = yamlOf(generate(examplePlan(), RELAY_ALERTS), "compose.yaml");
    const { host } = memberOf(examplePlan(), "gcash").validator;
    expect(at(named, "services", "gcash-validator", "networks", "p2p")).to.deep.equal({
      ipv4_address: "10.213.0.7",
      aliases: [host],
    });
    expect(at(named, "networks", "p2p")).to.deep.equal({
      internal: true,
      ipam: { config: [{ subnet: "10.213.0.0/27", gateway: "10.213.0.30" }] },
    });
    // Before the other containers are there: Besu keeps to what a name was when it started.
    expect(strings(at(named, "services", "dana-rpc", "extra_hosts"))).to.include(`${host}:10.213.0.7`);

    const numbered = yamlOf(generate(addressPlan(), RELAY_ALERTS), "compose.yaml");
    expect(at(numbered, "services", "alipay-rpc", "networks", "p2p")).to.deep.equal({ ipv4_address: "10.20.1.12" });
    expect(at(numbered, "networks", "p2p", "ipam", "config")).to.deep.equal([
      { subnet: "10.20.0.0/21", gateway: "10.20.7.254" },
    ]);
  });

  it("are the same bytes for the same plan, and hold nothing like a private key", () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const files = generate(plan, RELAY_ALERTS);
        expect([...generate(plan, RELAY_ALERTS)]).to.deep.equal([...files]);
        const made = [...files].filter(([path]) => /compose|web3signer|monitoring|kubernetes|env/.test(path));
        expect(made.length).to.be.greaterThan(20);
        for (const [path, text] of made) {
          expect(text.replaceAll(/@sha256:[0-9a-f]{64}/g, ""), path).not.to.match(
            /\b(?:0x)?[0-9a-fA-F]{64}\b|-----BEGIN/,
          );
          expect(text, path).not.to.match(/(?:clientSecret|secretAccessKey|privateKey|token): /);
        }
      }),
      RUNS,
    );
  });
});

describe("Web3Signer's files", () => {
  const files = generate(addressPlan(), RELAY_ALERTS);

  it("have TLS, the hosts that may be asked for, the chain, and no node behind them", () => {
    const config = yamlOf(files, "members/paytm/web3signer/config.yaml");
    expect(config).to.include({
      "key-config-path": "/etc/web3signer/keys",
      "http-listen-port": 9000,
      "tls-keystore-file": "/run/secrets/signer-tls.p12",
      "tls-keystore-password-file": "/run/secrets/signer-tls-password",
      "eth1.chain-id": addressPlan().chain.chainId,
      "eth1.downstream-http-host": "127.0.0.1",
    });
    // Web3Signer does not start with an option that it has no more.
    expect(config).not.to.have.property("swagger-ui-enabled");
    expect(strings(config["http-host-allowlist"])).to.deep.equal([
      "10.20.2.13",
      "web3signer",
      "localhost",
      "127.0.0.1",
    ]);
    // 9001 is the relay's, on the same machine.
    expect(config["metrics-port"]).to.equal(9002);
  });

  it("have each key in its documented format, with no secret in it", () => {
    const keys = [1, 2, 3, 4].map((number) => yamlOf(files, `members/paytm/web3signer/keys/key-${number}.yaml`));
    expect(keys).to.deep.equal([
      {
        type: "file-keystore",
        keyType: "SECP256K1",
        keystoreFile: "/run/secrets/key-1.json",
        keystorePasswordFile: "/run/secrets/key-1.password",
      },
      {
        type: "hashicorp",
        keyType: "SECP256K1",
        serverHost: "vault",
        serverPort: 8200,
        timeout: 10_000,
        tlsEnabled: true,
        tlsKnownServersPath: "/run/secrets/vault-known-servers",
        keyPath: "/v1/secret/data/paytm-1",
        keyName: "key",
        authMethod: "KUBERNETES",
        kubernetesAuthPath: "jwt",
        kubernetesRole: "feiqian-paytm",
        kubernetesServiceAccountTokenPath: "/run/secrets/vault-identity",
      },
      { type: "aws-kms", authenticationMode: "ENVIRONMENT", kmsKeyId: "alias/paytm-2", region: "ap-southeast-1" },
      {
        type: "azure-secret",
        keyType: "SECP256K1",
        authenticationMode: "SYSTEM_ASSIGNED_MANAGED_IDENTITY",
        vaultName: "feiqian-keys",
        secretName: "paytm-3",
      },
    ]);
  });

  it("find every secret that they name in the container", () => {
    const signer = services(files, "members/paytm/compose.yaml")["web3signer"];
    const targets = list(at(signer, "secrets")).map((secret) => `/run/secrets/${String(at(secret, "target"))}`);
    const named = [...files]
      .filter(([path]) => path.startsWith("members/paytm/web3signer/"))
      .flatMap(([, text]) => [...text.matchAll(/\/run\/secrets\/[\w.-]+/g)].map(([path]) => path));
    expect(new Set(targets)).to.deep.equal(new Set(named));
    const secrets = tree(yamlOf(files, "members/paytm/compose.yaml")["secrets"]);
    expect(at(secrets, "key-1.json", "file")).to.equal("/srv/keys/paytm-0.json");
    expect(at(secrets, "key-1.password", "file")).to.equal("/srv/keys/paytm-0.json.password");
  });
});

function composePaths({ members }: NetworkPlan): readonly string[] {
  return ["compose.yaml", ...members.map(({ name }) => `members/${name}/compose.yaml`)];
}

function services(files: Files, path: string): Tree {
  return tree(yamlOf(files, path)["services"]);
}

function portsOf(service: unknown): readonly string[] {
  const ports = at(service, "ports");
  return ports === undefined ? [] : strings(ports);
}

function containerPorts(service: unknown): readonly string[] {
  return portsOf(service).map((port) => port.split(":").at(-1) ?? "");
}

function networksOf(service: unknown): readonly string[] {
  const networks = at(service, "networks");
  if (networks === undefined) return [];
  return Array.isArray(networks) ? strings(networks) : Object.keys(tree(networks));
}

function expectMountsToExist(files: Files, path: string): void {
  const compose = yamlOf(files, path);
  const volumes = Object.keys(tree(compose["volumes"]));
  const secrets = Object.keys(tree(compose["secrets"]));
  const generated = [...files.keys()];
  const usedVolumes = new Set<string>();
  const usedSecrets = new Set<string>();
  for (const [name, service] of Object.entries(tree(compose["services"]))) {
    for (const mount of strings(at(service, "volumes"))) {
      const [source = "", , mode] = mount.split(":");
      if (!source.startsWith(".")) {
        usedVolumes.add(source);
        continue;
      }
      const found = posix.join(posix.dirname(path), source);
      const isThere = generated.some((file) => file === found || file.startsWith(`${found}/`));
      expect(isThere, `${path} ${name} ${source}`).to.equal(true);
      expect(mode, `${path} ${name} ${source}`).to.equal("ro");
    }
    const taken = at(service, "secrets");
    for (const secret of taken === undefined ? [] : list(taken)) usedSecrets.add(String(at(secret, "source")));
  }
  expect(usedVolumes, path).to.deep.equal(new Set(volumes));
  expect(usedSecrets, path).to.deep.equal(new Set(secrets));
}
