import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { run } from '../fixtures/process.ts';
import { Tidewatch } from '../fixtures/tidewatch.ts';

/** Runs the README's blocks that are marked so, each as it is written there; what they print. */
async function runTour(tidewatch: Tidewatch, heading: string): Promise<string> {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const section = readme.split(/^## /m).find((section) => section.startsWith(heading)) ?? '';
  const tour = section.match(/<!-- tour:[^\n]*\n```bash\n([\s\S]*?)```/)?.[1];
  expect(tour, `a tour under "${heading}"`).toBeTruthy();
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-tour-'));
  mkdirSync(join(folder, '.data'));
  writeFileSync(join(folder, '.data/demo.env'), `TIDEWATCH_URL=${tidewatch.url}\nTIDEWATCH_API_KEY=${tidewatch.key}\n`);
  try {
    return await run('bash', ['-euc', `cd ${folder}\n${tour}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the README's tour works as it is written there, and the page shows it", async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();

  const output = await runTour(tidewatch, 'A settlement with curl');
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

test("the README's publication is one event, and who has the token hears it", async ({ tidewatch }) => {
  const output = await runTour(tidewatch, 'Publish and subscribe');
  expect(output).toContain('event: connected');
  expect(output.match(/^event: parcel.packed$/gm)).toHaveLength(1);
  const answers = [...output.matchAll(/"eventId":"(evt_[0-9a-z]+)"\}\]/g)].map((match) => match[1]);
  expect(answers).toHaveLength(2);
  expect(new Set(answers).size).toBe(1);
});

test("the README's webhook is made with a secret, seen without it, and deleted", async ({ tidewatch }) => {
  const output = await runTour(tidewatch, 'Webhooks');
  expect(output).toMatch(/"id":"whk_[0-9a-z]{26}"/);
  expect(output).toContain('"types":["settlement.*"]');
  expect(output).not.toContain('whsec_');
  // Other specs have endpoints on this server, too.
  const made = output.match(/whk_[0-9a-z]{26}/)![0];
  const left: { id: string }[] = (await tidewatch.curl('GET', '/api/v1/webhooks')).json.webhooks;
  expect(left.map(({ id }) => id)).not.toContain(made);
});
