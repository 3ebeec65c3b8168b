import { Document } from "yaml";

/**
 * A YAML file: what it is for, then the content. Objects that occur twice are written twice, since not every program that
 * reads these files knows anchors, and a reader should not have to look them up. What is no text in YAML 1.1, as no and
 * 0:0, is quoted, since some of those programs read that.
 * @param about lines of the comment at its head
 * @param madeFrom what to change instead of the file
 */
export function yamlFile(content: unknown, about: readonly string[], madeFrom = GENERATED): string {
  const document = new Document(content, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  if (about.length > 0) document.commentBefore = [...about, madeFrom].map((line) => ` ${line}`).join("\n");
  return document.toString({ lineWidth: 0 });
}

/** Several documents in one file, as kubectl takes them. */
export function yamlDocuments(contents: readonly unknown[], about: readonly string[]): string {
  return contents.map((content, index) => yamlFile(content, index === 0 ? about : [])).join("---\n");
}

const GENERATED = "Generated from network.json by `feiqian network generate`: change that, not this.";
