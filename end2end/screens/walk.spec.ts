import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

// The frames of the animation in the book's first chapter: the page of a settlement that is walked to settled by the API, a frame
// each 250 ms, into TIDEWATCH_SCREENS. docs/images has them put together.

const folder = join(process.env.TIDEWATCH_SCREENS ?? '../.data/screenshots', 'walk');
/** Milliseconds from frame to frame. */
const pace = 250;

test.use({ viewport: { width: 1000, height: 720 }, trace: 'off' });

test('a settlement on its way', async ({ page, tidewatch, operator }) => {
  mkdirSync(folder, { recursive: true });
  let settlement = await tidewatch.create('INV-1001');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  let number = 0;
  const take = async (frames: number) => {
    for (let frame = 0; frame < frames; frame += 1) {
      await page.screenshot({ path: join(folder, `${String(number).padStart(2, '0')}.png`) });
      number += 1;
      await page.waitForTimeout(pace);
    }
  };
  await take(3);
  for (const move of [
    { move: 'select_network', network: 'polygon', score: 91, reasoning: 'cheapest now', required: 4 },
    { move: 'estimate_gas', gasEstimate: 21000 },
    { move: 'submit' },
    { move: 'confirm', confirmations: 1 },
    { move: 'confirm', confirmations: 2 },
    { move: 'confirm', confirmations: 3 },
    { move: 'confirm', confirmations: 4 },
    { move: 'settle', txHash: '0x5f2c', gasActual: 20512 },
  ]) {
    settlement = await tidewatch.move(settlement, move);
    await take(4);
  }
  await expect(page.locator('main')).toContainText('Settled');
  await take(6);
});
