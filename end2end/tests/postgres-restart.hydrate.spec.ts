import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettlementsPage } from '../pages/dashboard.ts';
import { eventually, run } from '../fixtures/process.ts';
import { Tidewatch } from '../fixtures/tidewatch.ts';
import { expect, test as base } from '../fixtures/test.ts';

const script = join(import.meta.dirname, '../../scripts/postgres.sh');

/** A Postgres that this test alone restarts. */
class OwnPostgres {
  readonly folder = mkdtempSync(join(tmpdir(), 'tidewatch-pg-'));
  start = () => run(script, ['start', this.folder, '--fast']);
  stop = () => run(script, ['stop', this.folder]);
  url = async () => (await run(script, ['url', this.folder])).trim();
  async remove() {
    await run(script, ['remove', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

type Worker = { postgres: OwnPostgres; tidewatch: Tidewatch };

const test = base.extend<{}, Worker>({
  postgres: [
    async ({}, use) => {
      const postgres = new OwnPostgres();
      await postgres.start();
      await use(postgres);
      await postgres.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  tidewatch: [
    async ({ postgres }, use) => {
      const tidewatch = await Tidewatch.start({}, await postgres.url());
      await use(tidewatch);
      await tidewatch.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test('Postgres restarts under load: the server stays, says 503, recovers, and nothing is lost', async ({ page, operator, tidewatch, postgres }) => {
  test.setTimeout(180_000);
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  tidewatch.startSimulator('40/s');
  for (let restart = 0; restart < 3; restart++) {
    const before = (await tidewatch.curl('GET', '/api/v1/events')).json.position;
    await eventually('load', async () => (await tidewatch.curl('GET', '/api/v1/events')).json.position > before + 20);
    await postgres.stop();
    const answer = await tidewatch.curl('POST', '/api/v1/settlements', { reference: 'AWAY', amountMinor: 1, currency: 'EUR' });
    expect(answer.status).toBe(503);
    expect(answer.json.type).toBe('urn:tidewatch:problem:unavailable');
    expect((await tidewatch.curl('GET', '/api/v1/settlements')).status).toBe(503);
    expect(await tidewatch.isReady()).toBe(false);
    expect((await fetch(`${tidewatch.url}/healthz`)).status).toBe(200);
    await postgres.start();
    await eventually('the server to be ready again', () => tidewatch.isReady());
    expect(tidewatch.isServing).toBe(true);
  }
  // What was answered with 201 is there, and is streamed.
  const created = await tidewatch.create('AFTER');
  await tidewatch.stopSimulator();
  const table = await tidewatch.publishedEvents();
  expect(table.map((event) => event.position)).toEqual(table.map((_, index) => index + 1));
  await settlements.shows('live', 60_000);
  await expect(settlements.row(created.id)).toBeVisible();
  await settlements.equalsAFreshLoad();
});
