/** What the page is told before anybody signs in: `GET /admin/config.json`. */

export interface PageConfig {
  issuer: string;
  clientId: string;
  scope: string;
  /** Where the issuer's metadata are, if not at its well-known address. */
  metadataUrl: string | null;
  /** The API's address; empty for the page's own origin. */
  apiUrl: string;
  /** What the administrators' group is called. */
  groupHint: string;
  region: string;
  stack: string;
}

/** Returns the configuration; rejects where it cannot be read. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch(`${import.meta.env.BASE_URL}config.json`, { cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const config = (await response.json()) as Partial<PageConfig>;
  if (!config.issuer || !config.clientId) throw new Error("config.json: no issuer");
  return {
    issuer: config.issuer,
    clientId: config.clientId,
    scope: config.scope || "openid",
    metadataUrl: config.metadataUrl || null,
    apiUrl: (config.apiUrl ?? "").replace(/\/$/, ""),
    groupHint: config.groupHint || "admin",
    region: config.region ?? "",
    stack: config.stack ?? "",
  };
}
