import { Copy, DockerfileParser } from "dockerfile-ast";
import { fileOf } from "./files.ts";

// The Dockerfile, read by the parser of Docker's language server.

export interface Step {
  readonly keyword: string;
  /** As it stands there, without flags and with continued lines joined. */
  readonly text: string;
  readonly args: readonly string[];
  /** The stage that a COPY takes from; the build's context unless given. */
  readonly from?: string;
}

/** One stage of the build: what it begins with, and what it does then, in order. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly Step[];
}

export function stagesOfImage(): readonly Stage[] {
  const stages: { readonly name: string; readonly image: string; readonly steps: Step[] }[] = [];
  for (const instruction of DockerfileParser.parse(fileOf("Dockerfile")).getInstructions()) {
    const keyword = instruction.getKeyword();
    const text = instruction.getArgumentsContent() ?? "";
    const args = instruction.getArguments().map((argument) => argument.getValue());
    if (keyword === "FROM") {
      const [image = "", , name = ""] = args;
      stages.push({ name, image, steps: [] });
      continue;
    }
    const from = instruction instanceof Copy ? instruction.getFromFlag()?.getValue() : undefined;
    stages.at(-1)?.steps.push({ keyword, text, args, ...(typeof from === "string" ? { from } : {}) });
  }
  return stages;
}

/** The stage that becomes the image. */
export function imageStage(): Stage {
  const stage = stagesOfImage().at(-1);
  if (stage === undefined) throw new Error("the Dockerfile has no stage");
  return stage;
}

/** What a keyword says that occurs once in a stage. */
export function only({ steps }: Stage, keyword: string): Step {
  const [found, ...more] = steps.filter((step) => step.keyword === keyword);
  if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} times ${keyword}`);
  return found;
}

/** Variables that the image sets. */
export function variablesOfImage(): ReadonlyMap<string, string> {
  return new Map(
    only(imageStage(), "ENV").args.map((pair): [string, string] => {
      const [name = "", value = ""] = pair.split("=");
      return [name, value];
    }),
  );
}

/** What the container runs: the list forms of ENTRYPOINT and CMD, one after the other. */
export function commandOfImage(): readonly string[] {
  return ["ENTRYPOINT", "CMD"].flatMap((keyword) => listForm(only(imageStage(), keyword).text));
}

/** What tells whether the container is well. */
export function healthCheckOfImage(): readonly string[] {
  return listForm(only(imageStage(), "HEALTHCHECK").text.replace(/^CMD /, ""));
}

/** A command that no shell reads, or a fault where it is one that a shell does. */
function listForm(text: string): readonly string[] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error(`no list of words: ${text}`);
  return parsed.map(String);
}
