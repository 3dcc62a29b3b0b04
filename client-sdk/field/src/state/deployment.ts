import { recall, remember } from '$ui/state/kept';

/** What the server says of itself to anybody; see `GET /v1/deployment`. */
export interface Deployment {
  deployment: string;
  name: string | null;
  training: boolean;
  time_zone: string;
  visit_interval_days: number;
}

const NAME = 'deployment';

/** As it was when it was last asked: with no network it is the same one. */
export function recallDeployment(): Deployment | null {
  try {
    return JSON.parse(recall(NAME) ?? 'null') as Deployment | null;
  } catch {
    return null;
  }
}

export function rememberDeployment(deployment: Deployment): void {
  remember(NAME, JSON.stringify(deployment));
}

export async function askDeployment(): Promise<Deployment | null> {
  try {
    const answer = await fetch('/v1/deployment', { credentials: 'omit', cache: 'no-store' });
    if (!answer.ok) return null;
    return (await answer.json()) as Deployment;
  } catch {
    return null;
  }
}
