import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

test('a toast tells of a move and takes it back', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('UNDO-1');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  const article = page.locator('article');
  await new Dashboard(page).hold('by mistake');
  const toast = page.locator('.toast');
  await expect(toast).toContainText('UNDO-1 is now held.');
  await expect(article).toHaveAttribute('data-status', 'held');
  await toast.getByRole('button', { name: 'Undo' }).click();
  await expect(article).toHaveAttribute('data-status', 'created');
  await expect(toast).toContainText('Undone.');
  await toast.getByRole('button', { name: 'Dismiss' }).click();
  await expect(toast).toHaveCount(0);
});

test('what somebody else has moved on cannot be undone, and the toast says why', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('UNDO-2');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  await new Dashboard(page).hold('by mistake');
  const toast = page.locator('.toast');
  await expect(toast).toContainText('is now held');
  // It stays as long as somebody points at it.
  await toast.hover();
  const released = await tidewatch.move({ ...settlement, version: 2 }, { move: 'release' });
  await tidewatch.move(released, { move: 'fail', error: 'no route' });
  await toast.getByRole('button', { name: 'Undo' }).click();
  await expect(page.locator('.toast[data-tone="bad"]')).toContainText('version');
  await expect(page.locator('article')).toHaveAttribute('data-status', 'failed');
});

test('by keyboard: a move leads on to what can be done now, and u takes it back', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('UNDO-3');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  const article = page.locator('article');
  await page.getByText('Hold…').focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Reason').fill('by mistake');
  // The button that is pressed goes: whoever pressed it does not begin at the top of the page again.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(article).toHaveAttribute('data-status', 'held');
  await expect(page.getByRole('region', { name: 'Moves' })).toBeFocused();
  await page.keyboard.press('u');
  await expect(article).toHaveAttribute('data-status', 'created');
  await expect(page.locator('.toast').last()).toContainText('Undone.');
});
