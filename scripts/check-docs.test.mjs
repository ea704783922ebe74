// node --test scripts/check-docs.test.mjs: what check-docs.mjs finds, each kind of mistake by itself.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const checker = join(import.meta.dirname, 'check-docs.mjs');

/** What the check says of a repository of these files. */
function check(files) {
  const root = mkdtempSync(join(tmpdir(), 'tidewatch-check-docs-'));
  try {
    execFileSync('git', ['init', '--quiet', root]);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [checker, root], { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function isRight(files) {
  const { status, said } = check(files);
  assert.equal(status, 0, said);
}

function isWrong(files, ...complaints) {
  const { status, said } = check(files);
  assert.equal(status, 1, said);
  for (const complaint of complaints) assert.ok(said.includes(complaint), `${complaint}\nis not in\n${said}`);
}

test('links to files, folders, headings and lines that are there are right', () => {
  isRight({
    'README.md': '# A `name` of it: "all", and more\n[here](#a-name-of-it-all-and-more) [there](docs/a.md#two-1) [folder](docs) [code](a.rs#L3) [out](https://example.com/nothing)\n',
    'docs/a.md': '# One\n## Two\n## Two\n<a id="own"></a>\n[back](../README.md) [own](#own) [by name][it]\n\n[it]: ../a.rs\n',
    'docs/README.md': '[a](a.md)\n',
    'a.rs': '',
  });
});

test('a link to nothing is found, by file and line', () => {
  isWrong({ 'README.md': 'x\n\n[gone](docs/gone.md)\n' }, 'README.md:3: docs/gone.md leads to nothing');
});

test('an anchor without its heading is found, in another document and in the same', () => {
  isWrong({ 'README.md': '[a](#none) [b](b.md#none)\n', 'b.md': '# Some\n' }, '#none: there is no heading #none', 'b.md#none: there is no heading #none');
});

test('a heading within a block of code is no heading', () => {
  isWrong({ 'README.md': '[a](#none)\n```sh\n# none\n```\n' }, 'there is no heading #none');
});

test('links in code are examples', () => {
  isRight({ 'README.md': '`[a](gone.md)`\n\n```text\n[a](gone.md)\n```\n' });
});

test('a link out of the repository is found', () => {
  isWrong({ 'README.md': '[a](../secret.md)\n' }, '../secret.md leads out of the repository');
});

test('pictures have to be there, in HTML too, and to be shown', () => {
  isRight({ 'README.md': '<picture><source srcset="docs/images/dark.png"><img src="docs/images/light.png"></picture>\n', 'docs/images/dark.png': '', 'docs/images/light.png': '' });
  isWrong({ 'README.md': '<picture><source srcset="docs/images/dark.png"></picture>\n' }, 'docs/images/dark.png leads to nothing');
  isWrong({ 'README.md': '![x](a.rs)\n', 'a.rs': '' }, 'a.rs is no picture');
  isWrong({ 'README.md': 'x\n', 'docs/images/old.png': '' }, 'docs/images/old.png:1: is shown by no document');
});

test('a test that is named has to be there', () => {
  isRight({ 'README.md': '[`it_holds`](a.rs)\n', 'a.rs': 'async fn it_holds() {}\n' });
  isWrong({ 'README.md': '[`it_holds`](a.rs)\n', 'a.rs': 'fn it_holds_no_more() {}\n' }, 'README.md:1: a.rs declares no it_holds');
});

test('a chapter that the table of contents leaves out is found', () => {
  isWrong({ 'docs/README.md': '# Book\n', 'docs/a.md': '# A\n' }, 'docs/a.md:1: is not in the table of contents');
});

for (const [language, right, wrong] of [
  ['json', '{"a": 1}', '{"a": 1,}'],
  ['toml', '[dependencies]\na = { path = "a", features = ["b"] } # c\nd = 1', 'a = path'],
  ['bash', 'for a in b; do c; done', 'for a in b; do c'],
  ['js', "import { a } from 'b';\nawait a();", 'const a = ;'],
]) {
  test(`a block of ${language} that cannot be read is found`, () => {
    isRight({ 'README.md': `\`\`\`${language}\n${right}\n\`\`\`\n` });
    isWrong({ 'README.md': `x\n\`\`\`${language}\n${wrong}\n\`\`\`\n` }, `README.md:2: this block of ${language} cannot be read`);
  });
}

test('a block without an end is found', () => {
  isWrong({ 'README.md': '```json\n{}\n' }, 'README.md:1: this block of code has no end');
});
