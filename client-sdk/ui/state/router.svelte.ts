/** What this app's addresses begin with: nothing, or such as `/field`. */
const BASE = import.meta.env.BASE_URL.replace(/\/$/, '');

/** The address of a path of this app. */
export function at(path: string): string {
  return BASE + path;
}

/** Where we are: the address bar is the only place that knows. Paths are those within this app. */
class Router {
  path = $state(within(location.pathname));
  search = $state(location.search);
  readonly query = $derived(new URLSearchParams(this.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
    addEventListener('click', (event) => this.#follow(event));
  }

  /** Goes to an address, as {@link at} makes them. */
  go(href: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', href);
    else history.pushState(null, '', href);
    this.#read();
  }

  /** Changes parameters of the address where we are; what is empty goes. */
  set(parameters: Record<string, string>): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(parameters)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    this.go(at(query.size ? `${this.path}?${query}` : this.path));
  }

  #read(): void {
    const path = within(location.pathname);
    const moved = this.path !== path;
    this.path = path;
    this.search = location.search;
    if (moved) scrollTo(0, 0);
  }

  /** Follows plain clicks on our own links without loading the page anew. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (!isOurs(link) || link.getAttribute('href')?.startsWith('#')) return;
    event.preventDefault();
    this.go(link.href);
  }
}

/** Another app of this origin is a page of its own: its address begins otherwise, or the link says `rel="external"`. */
function isOurs({ origin, pathname, relList }: HTMLAnchorElement): boolean {
  return origin === location.origin && pathname.startsWith(`${BASE}/`) && !relList.contains('external');
}

function within(pathname: string): string {
  return pathname.slice(BASE.length) || '/';
}

export const router = new Router();
