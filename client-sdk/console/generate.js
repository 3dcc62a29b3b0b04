// Makes the types of the API from `openapi.json`, which is the server's own `/openapi.json`.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const here = (path) => new URL(path, import.meta.url);
const document = JSON.parse(await readFile(here('openapi.json'), 'utf8'));
// Handlers of several nouns share a name, and the generator would take them for one operation.
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) delete operation.operationId;
}
await writeFile(here('src/api/schema.d.ts'), astToString(await openapiTS(document)));
