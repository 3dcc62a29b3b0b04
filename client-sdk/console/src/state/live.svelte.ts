import { connection } from './connection.svelte';

/** Logs may grow twice a second; a page need not be read that often. */
const REFRESH_MS = 1_000;

/**
 * Reads again when a log has grown, and when the server is back; having read, not again before `restMs` have passed. To be called
 * while a component is set up.
 */
export function refreshWhenChanged(
  refresh: () => unknown,
  concerns: (beat: string) => boolean = () => true,
  restMs = REFRESH_MS,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let readAt = -Infinity;
  const soon = () => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        readAt = Date.now();
        void refresh();
      },
      Math.max(REFRESH_MS, readAt + restMs - Date.now()),
    );
  };

  $effect(() => {
    const unlisten = connection.listen((beats) => {
      if ([...beats].some(concerns)) soon();
    });
    return () => {
      unlisten();
      clearTimeout(timer);
    };
  });

  let wasDown = false;
  $effect(() => {
    if (connection.link === 'live' && wasDown) soon();
    wasDown = connection.link === 'down';
  });
}
