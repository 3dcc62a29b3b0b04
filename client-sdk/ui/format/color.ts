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

/** What was translated already, by what the browser calls it. */
const translated = new Map<string, string>();

/** Libraries know fewer colour notations than browsers: let the browser translate. */
function asRgb(color: string): string {
  let rgb = translated.get(color);
  if (!rgb) {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    // Without this flag the pixel would be drawn by the graphics card, and waited for.
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return color;
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    rgb = `rgb(${red}, ${green}, ${blue})`;
    translated.set(color, rgb);
  }
  return rgb;
}
