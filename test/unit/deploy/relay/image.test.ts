import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { validate } from "dockerfile-utils";
import { at, tree } from "../besu/output-support.ts";
import { commandOfImage, healthCheckOfImage, imageStage, only, stagesOfImage, variablesOfImage } from "./dockerfile.ts";
import { fileOf, yamlFileOf } from "./files.ts";

describe("The image of a relay", () => {
  const stages = stagesOfImage();
  const image = imageStage();
  const copied = stages
    .flatMap(({ steps }) => steps)
    .filter(({ keyword, from }) => keyword === "COPY" && from === undefined)
    .flatMap(({ args }) => args.slice(0, -1));

  it("has a Dockerfile that a linter has nothing to say about", () => {
    expect(validate(fileOf("Dockerfile"))).to.deep.equal([]);
    expect(validate("FROM node:24\nUSR 1000")).not.to.deep.equal([]);
  });

  it("is built on the Node that the tests run on", () => {
    const node = String(at(JSON.parse(readFileSync("package.json", "utf8")), "devDependencies", "node"));
    for (const { image: base } of stages) expect(base).to.equal(`node:${node}-bookworm-slim`);
  });

  it("is copied together from files that are committed, and the build's context has no others", () => {
    for (const source of copied) {
      expect(execFileSync("git", ["ls-files", source], { encoding: "utf8" }), source).not.to.equal("");
    }
    const lines = readFileSync(".dockerignore", "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const [everything, ...allowed] = lines;
    expect(everything).to.equal("*");
    expect(new Set(allowed)).to.deep.equal(new Set(copied.map((source) => `!${source}`)));
  });

  it("takes from other stages only what they have made", () => {
    const names = stages.map(({ name }) => name);
    const foreign = image.steps.filter(({ from }) => from !== undefined);
    for (const { from, text } of foreign) expect(names, text).to.include(from);
    expect(image.steps.map(({ keyword }) => keyword)).not.to.include("ADD");
  });

  it("installs what is locked, without development packages, and runs nobody's scripts doing so", () => {
    const [install] = stages
      .flatMap(({ steps }) => steps)
      .filter(({ keyword, text }) => keyword === "RUN" && /\bnpm\b/.test(text));
    expect(install?.args.slice(0, 2)).to.deep.equal(["npm", "ci"]);
    expect(install?.args).to.include.members(["--omit=dev", "--omit=optional", "--ignore-scripts"]);
  });

  it("has no package manager left in it", () => {
    const [removed] = image.steps.filter(({ keyword }) => keyword === "RUN");
    for (const program of ["npm", "npx", "corepack", "yarn"]) {
      expect(removed?.text).to.contain(`/usr/local/bin/${program} `);
    }
  });

  it("runs as a user by number, who owns nothing in it, and is told apart by nobody's name", () => {
    expect(only(image, "USER").text).to.match(/^[1-9]\d*:[1-9]\d*$/);
    // Whatever is copied stays root's.
    for (const { text } of image.steps.filter(({ keyword }) => keyword === "COPY")) {
      expect(text).not.to.contain("chown");
    }
    const compose = at(yamlFileOf("compose.yaml"), "services", "relay", "user");
    expect(compose).to.equal(only(image, "USER").text);
    expect(fileOf("chart/templates/deployment.yaml"))
      .to.contain("runAsUser: 1000\n")
      .and.to.contain("runAsGroup: 1000\n");
  });

  it("holds no secret, and asks for none when it is built", () => {
    const named = stages.flatMap(({ steps }) => steps).filter(({ keyword }) => keyword === "ARG" || keyword === "ENV");
    for (const { text } of named) expect(text).not.to.match(/PASSWORD|SECRET|TOKEN|DATA_KEY|DATABASE_URL/);
    expect(named.filter(({ keyword }) => keyword === "ARG").map(({ text }) => text)).to.deep.equal([
      "VERSION",
      "REVISION",
    ]);
  });

  it("has one port, and every file goes by it", () => {
    const port = only(image, "EXPOSE").text;
    expect(variablesOfImage().get("FEIQIAN_API_PORT")).to.equal(port);
    expect(healthCheckOfImage().join(" ")).to.contain(`http://127.0.0.1:${port}/livez`);
    const compose = yamlFileOf("compose.yaml");
    expect(at(compose, "services", "relay", "ports")).to.deep.equal([`127.0.0.1:${port}:${port}`]);
    expect(fileOf("monitoring/prometheus.yml")).to.contain(`"relay:${port}"`);
    expect(fileOf("chart/templates/deployment.yaml")).to.contain(`containerPort: ${port}\n`);
    expect(fileOf("chart/templates/service.yaml")).to.contain(`port: ${port}\n`);
  });

  it("looks for the configuration where it is mounted", () => {
    expect(variablesOfImage().get("FEIQIAN_CONFIG")).to.equal("/etc/feiqian/relay.yaml");
    expect(fileOf("compose.yaml")).to.contain(":/etc/feiqian:ro");
    expect(fileOf("chart/templates/deployment.yaml")).to.contain("mountPath: /etc/feiqian,");
  });

  it("starts the relay without a shell, below a process that hands signals on", () => {
    expect(commandOfImage()).to.deep.equal(["tini", "--", "node", "/app/bin/feiqian.js", "relay", "start"]);
    expect(only(image, "STOPSIGNAL").text).to.equal("SIGTERM");
  });

  it("says what it is", () => {
    const labels = tree(
      Object.fromEntries(
        [...only(image, "LABEL").text.matchAll(/([\w.]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
      ),
    );
    expect(labels).to.include({
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": "${VERSION}",
      "org.opencontainers.image.revision": "${REVISION}",
    });
    expect(String(labels["org.opencontainers.image.title"])).to.match(/\S/);
  });
});
