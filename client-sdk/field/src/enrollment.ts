/** What a picture at headquarters says: where to go, and the word that lets in. */
export interface Invitation {
  /** The origin of a server; null where only a code was written. */
  server: string | null;
  code: string;
}

/** Longer than any code, and than any address that holds one. */
const MAX_TEXT = 2_000;

/** Twelve letters and digits, however they are grouped; null for anything else. */
export function codeIn(text: string): string | null {
  const plain = text.toUpperCase().replace(/[\s-]/g, '');
  return /^[0-9A-Z]{12}$/.test(plain) ? `${plain.slice(0, 4)}-${plain.slice(4, 8)}-${plain.slice(8)}` : null;
}

/** Reads an address with a code behind its #, or a bare code. Null for a picture of something else. */
export function readInvitation(text: string): Invitation | null {
  if (text.length > MAX_TEXT) return null;
  const bare = codeIn(text);
  if (bare) return { server: null, code: bare };
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return null;
  }
  const code = codeIn(new URLSearchParams(url.hash.slice(1)).get('code') ?? '');
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && code ? { server: url.origin, code } : null;
}
