import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { run } from '../fixtures/process.ts';

test("the README's tour works as it is written there, and the page shows it", async ({ page, operator, tidewatch }) => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const tour = readme.match(/<!-- tour:[^\n]*\n```bash\n([\s\S]*?)```/)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-tour-'));
  mkdirSync(join(folder, '.data'));
  writeFileSync(join(folder, '.data/demo.env'), `TIDEWATCH_URL=${tidewatch.url}\nTIDEWATCH_API_KEY=${tidewatch.key}\n`);
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();

  const output = await run('bash', ['-euc', `cd ${folder}\n${tour}`]);
  rmSync(folder, { recursive: true });

  const told = [...output.matchAll(/^event: (settlement\..*)$/gm)].map((match) => match[1]);
  expect(told).toEqual([
    'settlement.created',
    'settlement.network_selected',
    'settlement.gas_estimated',
    'settlement.status_changed',
    'settlement.status_changed',
    'settlement.confirmation_progress',
    'settlement.status_changed',
    'settlement.settled',
  ].slice(-told.length));
  expect(told.length).toBeGreaterThanOrEqual(7);
  expect(output).toContain('event: connected');
  expect(output).toContain('"status":"settled"');
  const id = output.match(/stl_[0-9a-z]+/)![0];
  await expect(settlements.row(id)).toHaveAttribute('data-status', 'settled');
});
