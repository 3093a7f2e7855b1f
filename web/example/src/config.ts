/** Where the API and the issuer are: `config.json`, served beside the page. Never from the address, which others make. */

export interface Config {
  /** The API's address. */
  api: string;
  issuer: string;
  clientId: string;
  scope: string;
  /** Where the issuer's metadata are, if not at its well-known address. */
  metadataUrl: string | null;
}

/** Returns the configuration; rejects where it cannot be read. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json", { cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const { api, issuer, clientId, scope, metadataUrl } = (await response.json()) as Partial<Config>;
  if (!api || !issuer || !clientId) throw new Error("config.json: api, issuer and clientId are needed");
  return { api: api.replace(/\/+$/, ""), issuer, clientId, scope: scope || "openid", metadataUrl: metadataUrl || null };
}
