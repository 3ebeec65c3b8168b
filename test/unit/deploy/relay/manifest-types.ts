import { join } from "node:path";
import type { IPrometheusRule, IServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import type { IDeployment } from "kubernetes-models/apps/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IConfigMap, IService } from "kubernetes-models/v1";
import ts from "typescript";
import type { Tree } from "../besu/output-support.ts";

// Kubernetes' published schemas let unknown fields pass, which the API server then drops without a word. Their TypeScript
// declarations do not: manifests are checked as literals of them.

/** The declarations, by a manifest's apiVersion and kind. */
export interface Manifests {
  "v1 ConfigMap": IConfigMap;
  "v1 Service": IService;
  "apps/v1 Deployment": IDeployment;
  "policy/v1 PodDisruptionBudget": IPodDisruptionBudget;
  "networking.k8s.io/v1 NetworkPolicy": INetworkPolicy;
  "monitoring.coreos.com/v1 ServiceMonitor": IServiceMonitor;
  "monitoring.coreos.com/v1 PrometheusRule": IPrometheusRule;
}

/** By this name the text that is checked looks them up: a kind that is not there is a fault, too. */
const LOOKED_UP: keyof { readonly Manifests: Manifests } = "Manifests";

/** What is wrong with manifests by the types of their kinds: fields that are unknown, missing, or of another type. */
export function unknownFields(manifests: readonly Tree[]): readonly string[] {
  const lines = manifests.map((manifest, index) => {
    const kind = JSON.stringify(`${String(manifest["apiVersion"])} ${String(manifest["kind"])}`);
    const type = `import("./manifest-types.ts").${LOOKED_UP}[${kind}]`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  // Beside this file, so that modules are found; it is never on the disk.
  const path = join(import.meta.dirname, "rendered-manifests.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ["node"],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const disk = ts.createCompilerHost(options);
  const text = lines.join("\n");
  const host: ts.CompilerHost = {
    ...disk,
    getSourceFile: (name, language, ...rest) =>
      name === path ? ts.createSourceFile(name, text, language) : disk.getSourceFile(name, language, ...rest),
    fileExists: (name) => name === path || disk.fileExists(name),
    readFile: (name) => (name === path ? text : disk.readFile(name)),
  };
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
