import { at, router } from '$ui/state/router.svelte';

/** How often an app that stays open asks for a newer one. */
const ASK_MS = 60 * 60_000;

/** The service worker: the app without a network, and newer versions of it. */
class Update {
  /** A newer version is here and waits. */
  waiting = $state.raw<ServiceWorker | null>(null);
  /** Whether the app opens without a network. */
  ready = $state(false);
  /** Never in the middle of a visit. */
  readonly offered = $derived(this.waiting !== null && !this.#isWriting());
  /** Another one has taken over, as one of the app's tabs was told to: this one is to be read again, when no visit is written in it. */
  #isOld = $state(false);

  async begin(): Promise<void> {
    const workers = navigator.serviceWorker;
    if (!workers || import.meta.env.DEV) return;
    const hadOne = Boolean(workers.controller);
    // The first one takes over a page that is as new as itself.
    workers.addEventListener('controllerchange', () => (this.#isOld = hadOne));
    $effect.root(() => {
      $effect(() => {
        if (this.#isOld && !this.#isWriting()) location.reload();
      });
    });
    const registration = await workers.register(at('/sw.js'), { updateViaCache: 'none' });
    this.#look(registration);
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', () => this.#look(registration));
    });
    void workers.ready.then(() => (this.ready = true));
    setInterval(() => void registration.update().catch(() => undefined), ASK_MS);
  }

  take(): void {
    this.waiting?.postMessage('take over');
  }

  #isWriting(): boolean {
    return router.path.startsWith('/log/');
  }

  #look({ waiting, active }: ServiceWorkerRegistration): void {
    this.waiting = active ? waiting : null;
  }
}

export const update = new Update();
