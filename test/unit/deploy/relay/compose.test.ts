import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseConfigFile } from "../../../../src/app/config.ts";
import { at, list, strings, tree } from "../besu/output-support.ts";
import { fileOf, RELAY_FOLDER, SECRETS_FOLDER, secretsIn, yamlFileOf } from "./files.ts";

/** Of dclint's rules, those on the order of things: ours is by what matters first. */
const ORDER = ["service-keys-order", "services-alphabetical-order", "top-level-properties-order"];
const require = createRequire(import.meta.url);
// Its declarations do not resolve in a project of ES modules.
const { DCLinter } = require("dclint") as {
  readonly DCLinter: new (settings: object) => { lintFiles(paths: readonly string[], isRecursive: boolean): unknown };
};
const DURATION = /^(?:(\d+)m)?(?:(\d+)s)?$/;

describe("The compose file of one partner's relay", () => {
  const compose = yamlFileOf("compose.yaml");
  const services = tree(compose["services"]);
  const relay = tree(services["relay"]);

  it("fits the schema of Compose, and has nothing in it that a linter warns of", () => {
    const linter = new DCLinter({
      rules: {
        ...Object.fromEntries(ORDER.map((rule) => [rule, 0 as const])),
        "require-quotes-in-ports": [2, { quoteType: "double" }],
      },
      quiet: true,
      debug: false,
      exclude: [],
    });
    const found = linter.lintFiles([`${RELAY_FOLDER}/compose.yaml`], false);
    expect(list(found).flatMap((file) => list(at(file, "messages")))).to.deep.equal([]);
  });

  it("mounts as secrets, and declares, what relay.yaml looks for", () => {
    const mounted = strings(relay["secrets"]);
    expect(new Set(mounted)).to.deep.equal(secretsIn(fileOf("relay.yaml")));
    const declared = Object.entries(tree(compose["secrets"]));
    const used = Object.values(services).flatMap((service) =>
      "secrets" in tree(service) ? list(at(service, "secrets")) : [],
    );
    expect(new Set(declared.map(([name]) => name))).to.deep.equal(new Set(used));
    for (const [name, secret] of declared) {
      expect(at(secret, "file"), name).to.match(new RegExp(`^\\$\\{SECRETS:\\?.+\\}/${name}$`));
    }
    for (const name of declared.map(([secret]) => secret)) expect(fileOf("env.example"), name).to.include(name);
  });

  it("has a relay.yaml that a relay takes, which says nothing that the image says", () => {
    const config = parseConfigFile(fileOf("relay.yaml"));
    expect(config.database.urlFile).to.equal(`${SECRETS_FOLDER}database.url`);
    expect(fileOf("relay.yaml")).not.to.match(/^ *(?:host|port):/m);
  });

  it("keeps a relay's secrets out of its environment", () => {
    for (const [name, service] of Object.entries(services)) {
      for (const key of Object.keys(tree(tree(service)["environment"] ?? {}))) {
        expect(key, name).not.to.match(/(?:PASSWORD|SECRET|KEY|URL)$/);
      }
    }
  });

  it("asks for every variable by name, and the example of an environment has all of them", () => {
    const used = [...fileOf("compose.yaml").matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)].map(([, variable = "", rest = ""]) => {
      expect(rest, variable).to.match(/^:\?.+/);
      return variable;
    });
    const filled = [...fileOf("env.example").matchAll(/^([A-Z_]+)=/gm)].map(([, variable]) => variable);
    expect(new Set(filled)).to.deep.equal(new Set([...used, "COMPOSE_PROFILES"]));
    expect(fileOf("env.example")).to.include(
      `COMPOSE_PROFILES=${String(strings(at(services, "postgres", "profiles"))[0])}`,
    );
  });

  it("names no image that a public registry would be asked for", () => {
    expect(at(relay, "image")).to.match(/^\$\{RELAY_IMAGE:\?/);
    for (const file of ["env.example", "README.md", "Dockerfile"]) {
      expect(fileOf(file), file).not.to.match(/(?<![/\w])feiqian-relay:/);
    }
  });

  it("pins what it does not build to a version", () => {
    const images = Object.values(services).map((service) => String(at(service, "image")));
    for (const image of images.filter((each) => !each.startsWith("$"))) {
      expect(image).to.match(/^[\w/]+:v?\d+\.\d+[\w.-]*$/);
    }
    const plan = tree(JSON.parse(readFileSync("deploy/example/network.json", "utf8")));
    expect(images).to.include(at(plan, "images", "prometheus"));
  });

  it("mounts only files that are there, volumes that it declares, and what the operator names", () => {
    const used = new Set<string>();
    for (const service of Object.values(services)) {
      for (const volume of strings(tree(service)["volumes"] ?? [])) {
        const [source = "", , mode] = volume.replace(/\$\{[^}]*\}/, "$").split(":");
        if (source.startsWith(".")) expect(existsSync(join(RELAY_FOLDER, source)), volume).to.equal(true);
        if (/^[.$]/.test(source)) expect(mode, volume).to.equal("ro");
        else used.add(source);
      }
    }
    expect(used).to.deep.equal(new Set(Object.keys(tree(compose["volumes"]))));
  });

  it("gives nothing more than it needs: no root, nothing to write to, no privileges, bounded, watched", () => {
    for (const [name, service] of Object.entries(services)) {
      expect(at(service, "read_only"), name).to.equal(true);
      expect(at(service, "security_opt"), name).to.deep.equal(["no-new-privileges:true"]);
      expect(at(service, "cap_drop"), name).to.deep.equal(["ALL"]);
      expect(at(service, "restart"), name).to.equal("unless-stopped");
      expect(at(service, "deploy", "resources", "limits", "memory"), name).to.be.a("string");
      // The relay's image has a health check of its own, and Prometheus' runs as nobody.
      if (name !== "relay") expect(list(at(service, "healthcheck", "test")).length, name).to.be.greaterThan(1);
      if (name !== "prometheus") expect(at(service, "user"), name).to.match(/^[1-9]\d*:[1-9]\d*$/);
    }
  });

  it("publishes on the machine itself only, and lets nothing but the relay reach the database", () => {
    const published = Object.values(services).flatMap((service) => strings(tree(service)["ports"] ?? []));
    expect(published).to.deep.equal(["127.0.0.1:8480:8480", "127.0.0.1:9090:9090"]);
    const inDatabase = Object.entries(services).filter(([, service]) =>
      strings(at(service, "networks")).includes("database"),
    );
    expect(inDatabase.map(([name]) => name)).to.deep.equal(["relay", "postgres"]);
    expect(strings(at(services, "postgres", "networks"))).to.deep.equal(["database"]);
    expect(at(compose, "networks", "database")).to.deep.equal({ internal: true });
    const used = Object.values(services).flatMap((service) => strings(at(service, "networks")));
    expect(new Set(used)).to.deep.equal(new Set(Object.keys(tree(compose["networks"]))));
  });

  it("waits for a relay to end what is under way", () => {
    const { drainSeconds } = parseConfigFile(fileOf("relay.yaml")).shutdown;
    const [, minutes = "0", seconds = "0"] = DURATION.exec(String(relay["stop_grace_period"])) ?? [];
    expect(60 * Number.parseInt(minutes, 10) + Number.parseInt(seconds, 10)).to.be.at.least(drainSeconds + 10);
  });

  it("starts without a PostgreSQL of its own where the operator has one", () => {
    expect(at(relay, "depends_on", "postgres")).to.deep.equal({ condition: "service_healthy", required: false });
  });
});
