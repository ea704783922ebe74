// check-docs.mjs [ROOT]: what documents say must be so. Every relative link of every Markdown file leads to a file of the
// repository, every anchor to a heading, every picture to an image; every chapter of docs/ stands in its table of contents, and
// every picture of docs/images is shown somewhere; a name in code that links to a file of Rust is declared there; code blocks can
// be read: JSON and TOML parse, scripts have no syntax error. Nothing is fetched: links to other sites are not looked at. Without
// packages, so that it runs wherever Node does.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, resolve } from 'node:path';

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const CONTENTS = 'docs/README.md';
const IMAGES = 'docs/images';
const problems = [];
const problem = (file, line, text) => problems.push(`${file}:${line}: ${text}`);

/** The Markdown files that are, or will be, in the repository. */
function documents() {
  const asked = ['-C', root, '-c', 'core.quotePath=false', 'ls-files', '--cached', '--others', '--exclude-standard'];
  const found = execFileSync('git', asked, { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n');
  // A file that was removed and not yet committed is still listed.
  return found.filter((name) => name.endsWith('.md') && existsSync(join(root, name))).sort();
}

/** A document in parts: its lines with code taken out, and its fenced blocks. */
function parse(text) {
  const prose = [];
  const blocks = [];
  let block;
  text.split('\n').forEach((line, index) => {
    const fence = /^(\s*(?:> ?)*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(line);
    if (block && fence && fence[2].startsWith(block.fence) && !fence[3]) {
      blocks.push(block);
      block = undefined;
      prose.push('');
    } else if (block) {
      block.lines.push(line);
      prose.push('');
    } else if (fence) {
      block = { fence: fence[2], language: fence[3].split(',')[0], line: index + 1, lines: [] };
      prose.push('');
    } else {
      prose.push(line.replace(/(`+)(?!`)(.+?)(?<!`)\1(?!`)/g, (code) => ' '.repeat(code.length)));
    }
  });
  return { prose, blocks, open: block };
}

/** The anchor that forges give a heading: GitHub's rule, which GitLab, Gitea and Forgejo share. */
function slug(heading) {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** Every anchor of a document: its headings, and what HTML names. */
function anchors(text) {
  const seen = new Map();
  const found = new Set();
  const { prose } = parse(text);
  text.split('\n').forEach((line, index) => {
    // The heading's own text, code in it too; but nothing that stands in a fenced block.
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(prose[index] === '' ? '' : line);
    if (heading) {
      const name = slug(heading[1]);
      const times = seen.get(name) ?? 0;
      seen.set(name, times + 1);
      found.add(times ? `${name}-${times}` : name);
    }
    for (const [, name] of line.matchAll(/\s(?:id|name)="([^"]+)"/g)) found.add(name);
  });
  return found;
}

/** Every link and picture of a document: `{target, line, isImage}`. */
function links(prose) {
  const found = [];
  const text = prose.join('\n');
  const lineOf = (index) => text.slice(0, index).split('\n').length;
  const add = (target, index, isImage = false) => found.push({ target, line: lineOf(index), isImage });
  // Links can hold pictures: what is within is found by a look of its own.
  for (const match of text.matchAll(/(!?)\[(?:[^\[\]]|\[[^\]]*\](?:\([^)]*\))?)*\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)) {
    add(match[2], match.index, match[1] === '!');
    const inner = /!\[[^\]]*\]\(([^\s)]+)\)/.exec(match[0].slice(1));
    if (inner) add(inner[1], match.index, true);
  }
  for (const match of text.matchAll(/^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?/gm)) add(match[1], match.index);
  for (const match of text.matchAll(/\s(src|srcset|href)="([^"]+)"/g)) {
    const targets = match[1] === 'srcset' ? match[2].split(',').map((one) => one.trim().split(/\s+/)[0]) : [match[2]];
    for (const target of targets) add(target, match.index, match[1] !== 'href');
  }
  return found;
}

const texts = new Map(documents().map((name) => [name, readFileSync(join(root, name), 'utf8')]));
const anchorsOf = new Map();
const shown = new Set();

function checkLink(file, { target, line, isImage }) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return;
  const [path, anchor] = target.split('#', 2);
  const there = path ? posix.normalize(posix.join(posix.dirname(file), decodeURIComponent(path))) : file;
  if (path.startsWith('/') || there.startsWith('..')) {
    problem(file, line, `${target} leads out of the repository`);
    return;
  }
  if (!existsSync(join(root, there))) {
    problem(file, line, `${target} leads to nothing`);
    return;
  }
  if (isImage) {
    shown.add(there);
    if (!/\.(png|svg|webp|gif|apng|jpe?g)$/.test(there)) problem(file, line, `${target} is no picture`);
  }
  if (anchor === undefined) return;
  if (!there.endsWith('.md')) {
    if (!/^L\d+(-L\d+)?$/.test(anchor)) problem(file, line, `${target} has an anchor, but is no document`);
    return;
  }
  if (!anchorsOf.has(there)) anchorsOf.set(there, anchors(texts.get(there) ?? readFileSync(join(root, there), 'utf8')));
  if (!anchorsOf.get(there).has(anchor)) problem(file, line, `${target}: there is no heading #${anchor}`);
}

/** A link whose text is a name in code, to a file of code, says that the name is declared there: a test, a function. */
function checkNames(file, text, prose) {
  text.split('\n').forEach((line, index) => {
    if (prose[index] === '') return; // in a fenced block
    for (const [, name, path] of line.matchAll(/\[`([a-z_0-9]+)`\]\(([^\s)#]+\.rs)\)/g)) {
      const there = join(root, posix.join(posix.dirname(file), path));
      if (!existsSync(there)) continue; // which is said of the link
      if (!new RegExp(`\\b(?:fn|mod|struct|const) ${name}\\b`).test(readFileSync(there, 'utf8'))) {
        problem(file, index + 1, `${path} declares no ${name}`);
      }
    }
  });
}

/** What is wrong with TOML out of tables and keys with plain values, which is all that documents show; undefined: nothing. */
function tomlProblem(lines) {
  const string = String.raw`"(?:[^"\\]|\\.)*"`;
  const key = String.raw`[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*`;
  const plain = String.raw`(?:${string}|true|false|[+-]?\d[\d_]*(?:\.\d+)?)`;
  const array = String.raw`\[\s*(?:${plain}\s*(?:,\s*${plain}\s*)*,?\s*)?\]`;
  const table = String.raw`\{\s*(?:${key}\s*=\s*(?:${plain}|${array})\s*(?:,\s*${key}\s*=\s*(?:${plain}|${array})\s*)*)?\}`;
  const known = new RegExp(String.raw`^\s*(?:#.*|\[\[?${key}\]\]?\s*(?:#.*)?|${key}\s*=\s*(?:${plain}|${array}|${table})\s*(?:#.*)?)?$`);
  const bad = lines.findIndex((line) => !known.test(line));
  return bad < 0 ? undefined : `line ${bad + 1} of the block is no TOML that this check knows: ${lines[bad].trim()}`;
}

/** Whether a program that only reads this has a complaint, and which. */
function complaintOf(program, args) {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    return undefined;
  } catch (error) {
    return String(error.stderr ?? error.message).trim().split('\n').find((line) => /error/i.test(line)) ?? String(error);
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'tidewatch-docs-'));

function checkBlock(file, { language, line, lines }) {
  const text = lines.join('\n');
  let wrong;
  if (language === 'json') {
    try {
      JSON.parse(text);
    } catch (error) {
      wrong = error.message;
    }
  } else if (language === 'toml') {
    wrong = tomlProblem(lines);
  } else if (language === 'sh' || language === 'bash') {
    const script = join(scratch, 'block.sh');
    writeFileSync(script, `${text}\n`);
    wrong = complaintOf('bash', ['-n', script]);
  } else if (language === 'js') {
    const script = join(scratch, 'block.mjs');
    writeFileSync(script, `${text}\n`);
    wrong = complaintOf(process.execPath, ['--check', script]);
  }
  if (wrong) problem(file, line, `this block of ${language} cannot be read: ${wrong}`);
}

try {
  for (const [file, text] of texts) {
    const { prose, blocks, open } = parse(text);
    if (open) problem(file, open.line, 'this block of code has no end');
    for (const block of blocks) checkBlock(file, block);
    for (const link of links(prose)) checkLink(file, link);
    checkNames(file, text, prose);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

if (texts.has(CONTENTS)) {
  const listed = links(parse(texts.get(CONTENTS)).prose).map(({ target }) => posix.normalize(posix.join('docs', target.split('#')[0])));
  for (const name of texts.keys()) {
    const isChapter = dirname(name) === 'docs' && name !== CONTENTS;
    if (isChapter && !listed.includes(name)) problem(name, 1, `is not in the table of contents (${CONTENTS})`);
  }
}
const images = join(root, IMAGES);
if (existsSync(images)) {
  for (const name of readdirSync(images)) {
    const image = posix.join(IMAGES, name);
    if (statSync(join(root, image)).isFile() && !shown.has(image)) problem(image, 1, 'is shown by no document');
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  console.error(`${problems.length} things that documents say are not so.`);
  process.exit(1);
}
console.log(`${texts.size} documents: links, anchors, pictures and blocks of code are right (${relative(process.cwd(), root) || '.'}).`);
