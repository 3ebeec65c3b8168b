import { check, type Finding } from "../../../deploy/besu/check.ts";
import { GenesisChanged } from "../../../deploy/besu/genesis-change.ts";
import { generate } from "../../../deploy/besu/generate.ts";
import { MANIFEST_FILE, parseManifest } from "../../../deploy/besu/manifest.ts";
import { FolderInUse, readFolder, writeFiles, type Written } from "../../../deploy/besu/output.ts";
import { parsePlan, type Files, type NetworkPlan } from "../../../deploy/besu/plan.ts";
import type { Watched } from "../../kernel/telemetry/alert.ts";
import { alertsOf } from "../../app/composition.ts";
import { FEATURES } from "../../app/features.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { readFileFor, renderFacts, tableOr, type Session } from "../../command/session.ts";

interface Generated extends Written {
  readonly network: string;
  readonly folder: string;
  /** Of all the files: who has the same value has the same files. */
  readonly digest: string;
}

/** Of relays with all features: what a network is watched for does not depend on one relay's list. */
const relayAlerts = (watched: Watched) => alertsOf(FEATURES, watched);

/** Writes the files of a plan. */
export async function generateNetwork(session: Session): Promise<void> {
  const { plan, folder } = await given(session);
  const files = generate(plan, relayAlerts);
  const written = await write(folder, files, session.flag("newGenesis"));
  const digest = parseManifest(files.get(MANIFEST_FILE))?.digest ?? "";
  const generated: Generated = { network: plan.name, folder, digest, ...written };
  session.print(generated, showGenerated(plan, files));
}

/** Looks at a folder: has it what the plan gives, and nothing that a node should not run with? */
export async function checkNetwork(session: Session): Promise<void> {
  const { plan, folder } = await given(session);
  const found = await readFolder(folder);
  if (found === undefined) throw new InvalidInput("--out", "a folder that is there", folder);
  const findings = check(plan, found, relayAlerts);
  session.print({ network: plan.name, folder, findings }, () => showFindings(findings));
  if (findings.length > 0) throw new CommandFailure("NEGATIVE", `${findings.length} findings in ${folder}`);
}

async function given(session: Session): Promise<{ readonly plan: NetworkPlan; readonly folder: string }> {
  const plan = parsePlan(await readFileFor(session.text("plan") ?? "", "--plan"));
  return { plan, folder: session.text("out") ?? "" };
}

async function write(folder: string, files: Files, isNewGenesis: boolean): Promise<Written> {
  try {
    return await writeFiles(folder, files, isNewGenesis);
  } catch (error) {
    if (error instanceof FolderInUse || error instanceof GenesisChanged) {
      throw new CommandFailure("CONFLICT", error.message);
    }
    throw error;
  }
}

function showGenerated({ members }: NetworkPlan, files: Files): (generated: Generated) => string {
  return ({ network, folder, digest, added, changed, removed, unchanged }) =>
    [
      renderFacts([
        ["network", `${network}, ${members.length} members`],
        ["folder", folder],
        ["files", `${files.size}: ${added.length} new, ${changed.length} changed, ${unchanged} as they were`],
        ["removed", removed.length === 0 ? undefined : removed.join(", ")],
        ["digest", digest],
      ]),
      ...(changed.length === 0 ? [] : ["", ...changed.map((path) => `changed  ${path}`)]),
      "",
      "Every member generates for itself, and compares the digest with the others' before anything is started.",
    ].join("\n");
}

function showFindings(findings: readonly Finding[]): string {
  return tableOr<Finding>(
    "No findings: the folder is what the plan gives, and no option is removed or dangerous.",
    [
      { title: "file", value: ({ file }) => file },
      { title: "finding", value: ({ kind }) => kind },
      { title: "what", value: ({ subject = "" }) => subject },
      { title: "why", value: ({ reason }) => reason },
      { title: "instead", value: ({ instead }) => instead },
    ],
    findings,
  );
}
