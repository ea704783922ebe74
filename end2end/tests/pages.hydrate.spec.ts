import { places } from '../fixtures/pages.ts';
import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

for (const place of places) {
  test(`${place.path}: by its address, by keyboard alone, and back and forth`, async ({ page, operator }) => {
    const dashboard = new Dashboard(page);
    await page.goto(place.path);
    await dashboard.isLive();
    await expect(dashboard.heading).toHaveText(place.heading);
    await expect(page.locator('main h1')).toHaveCount(1);

    // Each stop of the Tab key is on the screen and shows where the focus is; the first one skips to the content.
    await page.keyboard.press('Tab');
    await expect(page.locator(':focus')).toHaveText('Skip to content');
    await page.keyboard.press('Enter');
    await expect(page.locator('#main')).toBeFocused();
    const stops = await page.locator('main :is(a, button, input, select, textarea, summary)').count();
    for (let stop = 0; stop < Math.min(stops, 25); stop++) {
      await page.keyboard.press('Tab');
      const shown = await page.evaluate(() => {
        const on = document.activeElement;
        if (!on || on === document.body) return 'the end';
        const { left, right, top, bottom, width, height } = on.getBoundingClientRect();
        const style = getComputedStyle(on);
        const isSeen = width > 0 && height > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
        const isMarked = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
        return isSeen && isMarked ? '' : `${on.outerHTML.slice(0, 120)} seen=${isSeen} marked=${isMarked}`;
      });
      if (shown === 'the end') break;
      expect(shown, `stop ${stop + 1}`).toBe('');
    }

    // Away by the navigation, and back by the browser's button: the same page, not another document.
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    const [name, heading] = place.path === '/orders' ? ['Payments', 'Payments'] : ['Orders', 'Orders'];
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
    await expect(dashboard.heading).toHaveText(heading);
    await page.goBack();
    await expect(dashboard.heading).toHaveText(place.heading);
    await page.goForward();
    await expect(dashboard.heading).toHaveText(heading);
    await page.goBack();
    await expect(dashboard.heading).toHaveText(place.heading);
    expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
  });
}
