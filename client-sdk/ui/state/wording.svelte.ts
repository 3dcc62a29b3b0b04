import { preferences, type Locale } from './preferences.svelte';

export type CodeListName =
  'visit_type' | 'outcome' | 'place_type' | 'concern' | 'sara_stage' | 'agency' | 'referral_status';

export type Code = { code: string } & Record<Locale, { text: string }>;

export interface CodeList {
  name: string;
  codes: Code[];
}

/** How codes read, as told by whoever holds the lists: the server's API, or the device itself. */
class Wording {
  #lists = $state.raw<CodeList[]>([]);

  learn(lists: CodeList[]): void {
    this.#lists = lists;
  }

  codes(list: CodeListName): Code[] {
    return this.#lists.find(({ name }) => name === list)?.codes ?? [];
  }

  /** The wording of a code. One that no list knows is shown as it stands. */
  label(list: CodeListName, code: string): string {
    return this.codes(list).find((known) => known.code === code)?.[preferences.locale].text ?? code;
  }
}

export const wording = new Wording();
