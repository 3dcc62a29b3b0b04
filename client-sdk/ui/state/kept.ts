// What a browser keeps of small things. It may forbid it: then they last as long as the page.

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`aralau.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`aralau.${name}`, value);
  } catch {
    return;
  }
}
