import { globSync } from "node:fs";

/** Every Markdown page of the repository, at whatever depth. */
export const MARKDOWN_PAGES: readonly string[] = globSync(
  ["*.md", ".{changeset,github}/**/*.md", "{bin,deploy,docs,examples,sandbox,scripts,sdk,src,test}/**/*.md"],
  { exclude: ["**/node_modules/**"] },
).sort();
