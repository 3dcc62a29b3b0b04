/** A request that failed, as the server explains it (RFC 9457), or because no server answered. */
export class Problem extends Error {
  constructor(
    /** Stable: programs rely on it. `unreachable` where no server answered. */
    readonly code: string,
    readonly status: number,
    /** For whoever reads it; in English. */
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  static unreachable(): Problem {
    return new Problem('unreachable', 0, '');
  }

  static async of(response: Response): Promise<Problem> {
    // A proxy in front of a stopped server answers with a page of its own.
    if ([502, 503, 504].includes(response.status) && !isProblem(response)) return Problem.unreachable();
    try {
      const body = (await response.json()) as { code?: unknown; detail?: unknown };
      return new Problem(String(body.code ?? 'unknown'), response.status, String(body.detail ?? ''));
    } catch {
      return new Problem('unknown', response.status, response.statusText);
    }
  }

  /** What went wrong, whatever was thrown. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    return new Problem('unknown', 0, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function isProblem(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
}
