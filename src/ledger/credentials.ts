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

/**
 * When a bearer token ends that is a JWT and says so: its `exp`, in seconds since 1970. It is not verified: that is for
 * the node. Of any other token nobody but the node knows.
 */
export function tokenEnd(token: string): number | undefined {
  const [, claims = ""] = token.trim().split(".");
  try {
    const read: unknown = JSON.parse(Buffer.from(claims, "base64url").toString());
    const end = typeof read === "object" && read !== null && "exp" in read ? read.exp : undefined;
    return typeof end === "number" && Number.isFinite(end) ? Math.floor(end) : undefined;
  } catch {
    return undefined;
  }
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
