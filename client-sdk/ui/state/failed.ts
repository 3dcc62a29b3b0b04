/** What went wrong: a code that programs rely on, and words for whoever looks into it. */
export interface Failed {
  code: string;
  detail: string;
}

/** What went wrong, whatever was thrown. */
export function failed(thrown: unknown): Failed {
  if (isFailed(thrown)) return thrown;
  return { code: 'unknown', detail: thrown instanceof Error ? thrown.message : String(thrown) };
}

function isFailed(thrown: unknown): thrown is Failed {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && 'detail' in thrown;
}
