import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  {
    ignores: [
      '**/dist/',
      'console/src/api/schema.d.ts',
      'field/client/',
      'field/contract/',
      'wasm/',
      'target/',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      eqeqeq: 'error',
      // Visits hold foreign words: they are text, never markup.
      'svelte/no-at-html-tags': 'error',
      // A Map or Date that is made and used up in one call is no state.
      'svelte/prefer-svelte-reactivity': 'off',
      // The router is our own; links carry plain paths.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
);
