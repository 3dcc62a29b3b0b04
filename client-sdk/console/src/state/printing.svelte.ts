import { flushSync } from 'svelte';

/** Whether the page is on its way to paper: what only a sheet shows is made then, and not kept beside what the screen shows. */
class Printing {
  on = $state(false);

  constructor() {
    const paper = matchMedia('print');
    this.on = paper.matches;
    paper.addEventListener('change', () => this.#set(paper.matches));
    addEventListener('beforeprint', () => this.#set(true));
    addEventListener('afterprint', () => this.#set(false));
  }

  /** The sheet is laid out as soon as this returns. */
  #set(on: boolean): void {
    flushSync(() => (this.on = on));
  }
}

export const printing = new Printing();
