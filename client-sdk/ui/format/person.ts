import { t } from '../i18n/index.svelte';

/** Whose words the server's own hand writes: the same in every deployment. */
const HEADQUARTERS = '68656164-7175-4172-8000-000000000001';

export interface Person {
  /** Unknown where nobody has introduced them. */
  id?: string | null;
  name: string;
}

/** What somebody is called: headquarters' own hand in the language shown, and an inspector by their name. */
export function personName(person: Person): string {
  return person.id === HEADQUARTERS ? t('person.headquarters') : person.name;
}
