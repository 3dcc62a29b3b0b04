import { api, body, type Action, type Schemas } from '../api/client';
import { Problem } from '../api/problem';
import { preferences } from '$ui/state/preferences.svelte';

export type SignedIn = Schemas['SignedIn'];
/** What proves who one is. A token today; another way to sign in becomes another case of this type. */
export type Credential = Schemas['Credential'];

/** Who is signed in. The secret itself is in a cookie that no script can read. */
class Session {
  /** `undefined` until the server has said. */
  current = $state<SignedIn | null | undefined>(undefined);
  /** Signed out by the server, not by the reader: the sign-in page says so. */
  expired = $state(false);
  /** Why the server could not say who is signed in. */
  problem = $state<Problem | null>(null);

  /** Whether to offer an action. The server decides again, upon every request. */
  may(action: Action): boolean {
    return this.current?.may.includes(action) ?? false;
  }

  async resume(): Promise<void> {
    this.problem = null;
    try {
      this.#isSignedIn(await body(api.GET('/v1/session')));
    } catch (thrown) {
      const problem = Problem.from(thrown);
      if (problem.status === 401) this.current = null;
      else this.problem = problem;
    }
  }

  async signIn(credential: Credential): Promise<void> {
    this.#isSignedIn(await body(api.POST('/v1/session', { body: credential })));
    this.expired = false;
  }

  async signOut(): Promise<void> {
    await api.DELETE('/v1/session');
    this.current = null;
    this.expired = false;
  }

  #isSignedIn(signedIn: SignedIn): void {
    preferences.timeZone = signedIn.time_zone;
    this.current = signedIn;
  }

  /** The server does not know the session any more. */
  end(): void {
    if (!this.current) return;
    this.current = null;
    this.expired = true;
  }
}

export const session = new Session();
