/** How an outcome stands out: somebody was met, nobody could be, or a door stayed shut. */
export type Tone = 'good' | 'quiet' | 'warn' | 'bad' | 'accent';

const OUTCOMES: Record<string, Tone> = {
  contacted: 'good',
  nobody_home: 'quiet',
  no_access: 'warn',
  refused: 'bad',
  moved: 'quiet',
  vacant: 'quiet',
};

export function outcomeTone(outcome: string | null | undefined): Tone {
  return (outcome && OUTCOMES[outcome]) || 'quiet';
}

/** A colour of the present theme, for what is drawn by a library that reads no style sheets. */
export function themeColor(name: string): string {
  return shown(`var(--${name})`);
}

/** Whether the present theme is the dark one, chosen here or by the system. */
export function isDark(): boolean {
  return shown('light-dark(white, black)') === shown('black');
}

function shown(notation: string): string {
  const probe = document.createElement('span');
  probe.style.color = notation;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return asRgb(color);
}

/** Libraries know fewer colour notations than browsers: let the browser translate. */
function asRgb(color: string): string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d');
  if (!context) return color;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}
