// Latin, Cyrillic and the letters of Kazakh; a browser loads only the files whose letters are shown.
import '@fontsource-variable/inter/index.css';
import '$ui/app.css';
import './tables.css';
import './print.css';
import { mount } from 'svelte';
import App from './App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
