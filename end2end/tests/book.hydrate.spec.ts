import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, missing, readBlocks } from '../fixtures/book.ts';
import { eventually, Running } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';
import type { Tidewatch } from '../fixtures/tidewatch.ts';
import { SettlementsPage } from '../pages/dashboard.ts';

// The README and every chapter of docs/: what is marked to be run is run, as it is written there, and prints what it says.

const root = join(import.meta.dirname, '../..');
const documents = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

/** What a reader of the book has: accounts in `.data/demo.env`, and the program in `.data/dist`. */
function makeFolder(tidewatch: Tidewatch): string {
  // Within this folder, so that its packages are found by programs that stand in it.
  mkdirSync(join(import.meta.dirname, '../test-results'), { recursive: true });
  const folder = mkdtempSync(join(import.meta.dirname, '../test-results/book-'));
  mkdirSync(join(folder, '.data/dist'), { recursive: true });
  symlinkSync(process.env.TIDEWATCH_BIN ?? '', join(folder, '.data/dist/tidewatch'));
  const accounts = {
    TIDEWATCH_URL: tidewatch.url, TIDEWATCH_API_KEY: tidewatch.key,
    TIDEWATCH_EMAIL: tidewatch.email, TIDEWATCH_PASSWORD: tidewatch.password, DATABASE_URL: tidewatch.database,
  };
  writeFileSync(join(folder, '.data/demo.env'), Object.entries(accounts).map(([name, value]) => `${name}=${value}\n`).join(''));
  return folder;
}

/** Runs it to its end, or, where it listens for ever, until it has printed what it says; what it printed. */
async function runInTerminal(tidewatch: Tidewatch, block: Block): Promise<string> {
  const folder = makeFolder(tidewatch);
  const isShell = ['sh', 'bash'].includes(block.language);
  const script = join(folder, isShell ? 'block.sh' : 'block.mjs');
  writeFileSync(script, isShell ? `cd '${folder}'\n${block.code}` : block.code);
  const [program, ...args] = isShell ? ['bash', '-euo', 'pipefail', script] : [process.execPath, script];
  const exported: Record<string, string> = isShell ? {} : { TIDEWATCH_URL: tidewatch.url, TIDEWATCH_API_KEY: tidewatch.key };
  // Without colors, which whoever runs the tests may ask for.
  const running = Running.start(program, args, { ...exported, FORCE_COLOR: '0' }, Infinity);
  try {
    if (isShell) {
      expect(await running.ended, running.output).toBe(0);
    } else {
      let isMade = false;
      await eventually(`"${block.name}" to print what it says`, async () => {
        if (!running.isRunning) throw new Error(`it ended by itself:\n${running.output}`);
        if (!isMade && running.output.includes('connected')) {
          isMade = true;
          await tidewatch.create('BOOK-1');
        }
        return missing(block.prints, running.output) === undefined;
      }).catch((error) => {
        throw new Error(`${error.message}; it printed\n${running.output}`);
      });
    }
    return running.output;
  } finally {
    await running.end('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

/** What must hold beside what a chapter says that is printed. */
const more: Record<string, (output: string) => void> = {
  settlement: (output) => {
    const told = [...output.matchAll(/^event: (settlement\..*)$/gm)].map((match) => match[1]);
    const all = [
      'settlement.created',
      'settlement.network_selected',
      'settlement.gas_estimated',
      'settlement.status_changed',
      'settlement.status_changed',
      'settlement.confirmation_progress',
      'settlement.status_changed',
      'settlement.settled',
    ];
    // The creation lies before the position of its own answer, or not: that is the relay's to say.
    expect(told).toEqual(all.slice(-told.length));
    expect(told.length).toBeGreaterThanOrEqual(all.length - 1);
  },
  publish: (output) => {
    expect(output.match(/^event: parcel.packed$/gm)).toHaveLength(1);
    const answers = [...output.matchAll(/"eventId":"(evt_[0-9a-z]+)"\}\]/g)].map((match) => match[1]);
    expect(answers).toHaveLength(2);
    expect(new Set(answers).size).toBe(1);
  },
  webhook: (output) => expect(output).not.toContain('whsec_'),
};

let found = 0;
for (const document of documents) {
  for (const block of readBlocks(document)) {
    found += 1;
    if (block.place === 'dashboard') continue;
    test(`${document}: "${block.name}" works as it is written there`, async ({ tidewatch }) => {
      const output = await runInTerminal(tidewatch, block);
      expect(missing(block.prints, output), `this line is not printed in its place; what is:\n${output}`).toBeUndefined();
      more[block.name]?.(output);
    });
  }
}

for (const document of documents) {
  for (const block of readBlocks(document).filter(({ place }) => place === 'dashboard')) {
    test(`${document}: "${block.name}" works on a page of Tidewatch`, async ({ page, operator, tidewatch }) => {
      const printed: string[] = [];
      page.on('console', (message) => printed.push(message.text()));
      await page.evaluate(new Function(block.code) as () => void);
      await eventually('it to connect', async () => printed.some((line) => line.startsWith('connected')));
      await tidewatch.create('BOOK-1');
      await eventually(`"${block.name}" to print what it says`, async () => missing(block.prints, printed.join('\n')) === undefined)
        .catch((error) => {
          throw new Error(`${error.message}; it printed\n${printed.join('\n')}`);
        });
    });
  }
}

test('the blocks are found, and a page shows what they do', async ({ page, operator, tidewatch }) => {
  expect(found).toBeGreaterThanOrEqual(9);
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  const block = readBlocks('docs/getting-started.md').find(({ name }) => name === 'settlement')!;
  const output = await runInTerminal(tidewatch, block);
  await expect(settlements.row(output.match(/stl_[0-9a-z]+/)![0])).toHaveAttribute('data-status', 'settled');
});
