/** Names from files, in messages. */
export const show = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Text of UTF-8 bytes, null if they are not. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
