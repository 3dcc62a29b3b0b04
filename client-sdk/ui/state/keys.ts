/**
 * What a key stands for, whatever the keyboard's layout: where the key of J writes о, as on Russian and Kazakh ones, it is `j`
 * all the same. A layout that writes Latin letters elsewhere is taken at its word.
 */
export function keyOf({ key, code, shiftKey }: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>): string {
  if (key.length > 1) return key;
  if (/^[a-z/?]$/i.test(key)) return key.toLowerCase();
  if (code === 'Slash') return shiftKey ? '?' : '/';
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? key;
}
