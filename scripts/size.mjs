// The size of each file that browsers load: node size.mjs FOLDER
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = process.argv[2];
/** Loaded when it is needed; everything else is loaded first. */
const isLater = (name) => /^(split|chunk)/.test(name);
const files = readdirSync(folder).filter((name) => /\.(wasm|js|css)$/.test(name)).map((name) => {
  const bytes = readFileSync(join(folder, name));
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
});
const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(9);
const line = ({ name, raw, gzip, brotli }) => console.log(`${kib(raw)} ${kib(gzip)} ${kib(brotli)}  ${name}`);
const sum = (name, some) => ({ name, ...Object.fromEntries(['raw', 'gzip', 'brotli'].map((key) => [key, some.reduce((all, file) => all + file[key], 0)])) });

console.log('   KiB raw      gzip    brotli  file');
const first = files.filter(({ name }) => !isLater(name));
first.forEach(line);
line(sum('first load', first));
const later = files.filter(({ name }) => isLater(name)).sort((a, b) => b.brotli - a.brotli);
if (later.length > 0) {
  later.forEach(line);
  line(sum('all that can be loaded later', later));
}
