import { preferences } from './preferences.svelte';

/** The page wears the chosen theme. To be called while a component is set up. */
export function wearTheme(): void {
  $effect(() => {
    const root = document.documentElement;
    if (preferences.theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = preferences.theme;
  });
}
