import { readdir, readFile } from "node:fs/promises";
import { z } from "zod/v4";
import { emit, NODE_20, NODE_24, type Files } from "./emit.ts";
import { lockFor } from "./lock.ts";
import { reach } from "./reach.ts";

/** The files of a package, by their path in it: code, package.json, and what people read. */
export interface Package {
  readonly name: string;
  readonly files: Files;
}

const projectSchema = z.object({
  version: z.string(),
  description: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
});
type Project = z.infer<typeof projectSchema>;

/** For systemd, which a release is installed for: containers are built from a checkout. */
const SERVICE = "feiqian-relay.service";

/**
 * What an operator installs: the command `feiqian`, with the relay. It brings the very packages, down to the last one,
 * that the project's lockfile names and its tests ran with.
 */
export async function makeRelayPackage(): Promise<Package> {
  const project = await readProject();
  // The thread that reads large payloads is started by its path, not imported.
  const worker = "src/features/remittance/payloads/payload-worker";
  const compiled = emit(["bin/feiqian.js", `${worker}.ts`], NODE_24);
  const { files, packages } = reach(compiled, ["bin/feiqian.js", `${worker}.js`]);
  const imported = versionsOf(packages, project);
  const manifest = {
    ...headOf("feiqian", project),
    description: project.description,
    engines: { node: ">=24" },
    bin: { feiqian: "bin/feiqian.js" },
    // Those that it does not import are what others of them ask for, as peers.
    dependencies: { ...project.dependencies, ...imported },
  };
  const lock = lockFor(manifest, JSON.parse(await readFile("package-lock.json", "utf8")));
  const sources = (await readdir("src", { recursive: true })).map((name) => `src/${name}`).sort();
  const migrations = sources.filter((path) => path.endsWith(".sql"));
  return packageOf(manifest, "bin/README.md", [
    ...files,
    ...(await Promise.all(migrations.map(async (path) => [path, await readFile(path, "utf8")] as const))),
    ["npm-shrinkwrap.json", json(lock)],
    [SERVICE, await readFile(`deploy/relay/${SERVICE}`, "utf8")],
  ]);
}

/** What a wallet's engineer installs. Whoever verifies no receipts needs nothing that knows a chain. */
export async function makeSdkPackage(): Promise<Package> {
  const project = await readProject();
  const compiled = emit(["sdk/index.ts", "sdk/receipts.ts"], NODE_20);
  const main = reach(compiled, ["sdk/index.js", "sdk/index.d.ts"]);
  const receipts = reach(compiled, ["sdk/receipts.js", "sdk/receipts.d.ts"]);
  const dependencies = versionsOf(main.packages, project, "^");
  const more = [...receipts.packages].filter((name) => !main.packages.has(name));
  const optional = versionsOf(more, project, "^");
  const manifest = {
    ...headOf("@feiqian/sdk", project),
    description: "What a mobile wallet needs to send money through its partner's Feiqian relay",
    // As the strictest of its dependencies.
    engines: { node: ">=20.19" },
    sideEffects: false,
    exports: {
      ".": { types: "./sdk/index.d.ts", default: "./sdk/index.js" },
      "./receipts": { types: "./sdk/receipts.d.ts", default: "./sdk/receipts.js" },
    },
    dependencies,
    peerDependencies: optional,
    peerDependenciesMeta: Object.fromEntries(Object.keys(optional).map((name) => [name, { optional: true }])),
  };
  return packageOf(manifest, "sdk/README.md", [...main.files, ...receipts.files]);
}

async function readProject(): Promise<Project> {
  return projectSchema.parse(JSON.parse(await readFile("package.json", "utf8")));
}

/** Private: nobody owns the names in a public registry yet, and npm must not publish to them by accident. */
function headOf(name: string, { version, license }: Project) {
  return { name, version, private: true, license, type: "module" } as const;
}

/**
 * The project's versions of packages.
 * @param range put before each
 * @throws Error for one that is none of the project's dependencies
 */
function versionsOf(
  packages: Iterable<string>,
  { dependencies }: Project,
  range = "",
): Readonly<Record<string, string>> {
  const versions = [...packages].sort().map((name) => {
    const version = dependencies[name];
    if (version === undefined) throw new Error(`${name} is imported, and not among the dependencies of package.json`);
    return [name, `${range}${version}`] as const;
  });
  return Object.fromEntries(versions);
}

async function packageOf(
  manifest: { readonly name: string },
  readme: string,
  code: Iterable<readonly [path: string, text: string]>,
): Promise<Package> {
  const files = new Map(code).set("package.json", json(manifest));
  for (const [path, source] of [
    ["README.md", readme],
    ["LICENSE", "LICENSE"],
  ] as const) {
    files.set(path, await readFile(source, "utf8"));
  }
  return { name: manifest.name, files };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
