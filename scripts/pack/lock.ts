import { z } from "zod/v4";

const names = z.record(z.string(), z.string()).optional();
/** An installed package, as npm's lockfile has it; everything else of it stays as it is. */
const lockedSchema = z.looseObject({ dependencies: names, optionalDependencies: names, peerDependencies: names });
const lockfileSchema = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), lockedSchema) });
type Locked = z.infer<typeof lockedSchema>;

/** What a package's manifest and its lockfile both say. */
export interface LockedManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * The part of a lockfile that a package needs which has some of the project's dependencies, as `npm-shrinkwrap.json`.
 * @throws Error when the lockfile lacks one of them
 */
export function lockFor(manifest: LockedManifest, lockfile: unknown): object {
  const { lockfileVersion, packages } = lockfileSchema.parse(lockfile);
  const kept = new Map<string, Locked>();
  const ahead = Object.keys(manifest.dependencies).map((name) => locate(packages, "", name));
  for (let path = ahead.pop(); path !== undefined; path = ahead.pop()) {
    const locked = packages[path];
    if (locked === undefined || kept.has(path)) continue;
    kept.set(path, locked);
    for (const name of Object.keys(locked.dependencies ?? {})) ahead.push(locate(packages, path, name));
    // Of these npm installs what fits the machine, or is asked for.
    for (const name of Object.keys({ ...locked.optionalDependencies, ...locked.peerDependencies })) {
      const found = find(packages, path, name);
      if (found !== undefined) ahead.push(found);
    }
  }
  const sorted = [...kept].sort(([left], [right]) => (left < right ? -1 : 1));
  const { name, version, dependencies } = manifest;
  return {
    name,
    version,
    lockfileVersion,
    requires: true,
    packages: { "": { name, version, dependencies }, ...Object.fromEntries(sorted) },
  };
}

function locate(packages: Readonly<Record<string, Locked>>, importer: string, name: string): string {
  const found = find(packages, importer, name);
  if (found === undefined) throw new Error(`package-lock.json has no ${name} for ${importer || "the project"}`);
  return found;
}

/** Where Node finds a package: in the importer's own folder, or in one around it. */
function find(packages: Readonly<Record<string, Locked>>, importer: string, name: string): string | undefined {
  const path = `${importer === "" ? "" : `${importer}/`}node_modules/${name}`;
  if (packages[path] !== undefined) return path;
  const around = importer.lastIndexOf("node_modules/");
  return around < 0 ? undefined : find(packages, importer.slice(0, Math.max(0, around - 1)), name);
}
