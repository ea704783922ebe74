import type { Locator } from '@playwright/test';
import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

/** What stands beside a time, and where. */
const beside = (time: Locator) =>
  time.evaluate((element) => {
    const style = getComputedStyle(element, '::after');
    const number = (text: string) => Number.parseFloat(text) || 0;
    return { content: style.content, position: style.position, left: number(style.left), width: number(style.width) };
  });

for (const width of [1360, 390]) {
  test(`the absolute time is there on focus and hover, at ${width} px`, async ({ page, operator, tidewatch }) => {
    await page.setViewportSize({ width, height: 800 });
    const settlement = await tidewatch.create(`TIME-${width}`);
    await page.goto(`/settlements/${settlement.id}`);
    await new Dashboard(page).isLive();
    const times = page.locator('main time[tabindex="0"]');
    const count = await times.count();
    expect(count).toBeGreaterThan(3);
    const height = () => page.evaluate(() => document.documentElement.scrollHeight);
    for (let index = 0; index < count; index++) {
      const time = times.nth(index);
      await time.scrollIntoViewIfNeeded();
      const [box, before] = [await time.boundingBox(), await height()];
      // By keyboard: only that shows the focus.
      await time.evaluate((element) => (element as HTMLElement).focus({ focusVisible: true } as FocusOptions));
      const shown = await beside(time);
      expect(shown.content).toMatch(/^"(Loaded )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"$/);
      expect(shown.left).toBeGreaterThanOrEqual(0);
      expect(shown.left + shown.width).toBeLessThanOrEqual(width);
      expect(await time.boundingBox(), 'nothing moves').toEqual(box);
      expect(await height()).toBe(before);
      await time.evaluate((element) => (element as HTMLElement).blur());
      expect((await beside(time)).content).toBe('none');
    }
    await times.last().hover();
    expect((await beside(times.last())).content).toContain('UTC');
  });
}

test('a row has one stop, and its link shows the row’s time', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('TIME-ROW');
  await page.goto('/settlements?q=time-row');
  await new Dashboard(page).isLive();
  const row = page.locator(`.record-row[data-id="${settlement.id}"]`);
  const time = row.locator('time');
  await expect(time).not.toHaveAttribute('tabindex');
  expect((await beside(time)).content).toBe('none');
  await row.getByRole('link').focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  await expect(row.getByRole('link')).toBeFocused();
  expect((await beside(time)).content).toContain('UTC');
});
