// check-documents.mjs OPENAPI.json ASYNCAPI.json: says what validators find in both, and fails where they find something.

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { problemsOfAsyncApi, problemsOfOpenApi } from './fixtures/validators.mjs';

const read = async (path) => JSON.parse(await readFile(path, 'utf8'));
const [openapi, asyncapi] = process.argv.slice(2);
const problems = [
  ...(await problemsOfOpenApi(await read(openapi))).map((problem) => `${openapi}: ${problem}`),
  ...(await problemsOfAsyncApi(await read(asyncapi))).map((problem) => `${asyncapi}: ${problem}`),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
