/**
 * Takes user and password out of a URL, where fetch does not take them, and puts them into a header.
 * @returns the URL as fetch takes it
 */
export function withoutCredentials(text: string): {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const url = new URL(text);
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = url.password = "";
  const headers = credentials === ":" ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
  return { url: url.href, headers };
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
