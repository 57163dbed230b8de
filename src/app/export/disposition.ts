/**
 * A Content-Disposition that saves a file under this name (RFC 6266, RFC 8187). Whatever the name holds, the header is ASCII and the
 * name is one of a file in the folder where downloads go.
 */
export function attachment(name: string): string {
  const safe = name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, "_")
    .replace(/^\.+/, "_");
  const plain = safe.replace(/[^\x20-\x7e]|[%']/g, "_");
  if (plain === safe) return `attachment; filename="${plain}"`;
  const encoded = encodeURIComponent(safe).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
