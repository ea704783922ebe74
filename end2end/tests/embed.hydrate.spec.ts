import { AxeBuilder } from '@axe-core/playwright';
import { told } from '../fixtures/embed.ts';
import { Client } from '../fixtures/sockets.ts';
import { expect } from '../fixtures/test.ts';

// Of which port the other site will be is not known when the server starts; server/tests/http/notifications_embed.rs
// has the origins.
told.use({ settings: { TIDEWATCH_CORS_ORIGINS: '*' } });

told('the badge is live, and the list says what there is', async ({ told: { host, prefix, bell }, tidewatch, page }) => {
  await bell.open(host.url);
  expect(await page.evaluate(() => (window as unknown as { shadowModes: string[] }).shadowModes)).toEqual(['closed']);
  await expect(bell.badge).toBeHidden();
  await expect(bell.toggle).toHaveAccessibleName('Notifications: Nothing unread');
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  await expect(bell.toggle).toHaveAccessibleName('Notifications: 1 unread');

  await bell.toggle.click();
  const item = bell.item(`${prefix}-1`);
  await expect(item.getByText(`${prefix}-1 is there`)).toBeVisible();
  await expect(item.getByText('It is about 1248050.')).toBeVisible();
  await expect(item.locator('time')).toHaveAttribute('datetime', /^\d{4}-/);
  await expect(item.getByRole('link', { name: 'Open' })).toHaveAttribute('href', new RegExp(`^${tidewatch.url}/settlements/stl_`));
  // What comes while it is open waits: what is there stays under the pointer, and the focus where it is.
  await item.getByRole('button', { name: 'Mark read' }).focus();
  await tidewatch.create(`${prefix}-2`);
  await expect(bell.panel.getByRole('button', { name: 'Show 1 new' })).toBeVisible();
  await expect(bell.panel.locator('li')).toHaveCount(1);
  await expect(item.getByRole('button', { name: 'Mark read' })).toBeFocused();
  await bell.panel.getByRole('button', { name: 'Show 1 new' }).click();
  await expect(bell.panel.locator('li')).toHaveCount(2);
  await expect(bell.panel.locator('li').first()).toContainText(`${prefix}-2`);
  await item.getByRole('button', { name: 'Mark read' }).focus();
  await page.keyboard.press('Enter');
  await expect(item).toHaveCount(0);
  await expect(bell.badge).toHaveText('1');
  await bell.panel.getByRole('button', { name: 'Mark all read' }).click();
  await expect(bell.badge).toBeHidden();
  await expect(bell.panel).toContainText('Nothing unread');
  expect(await bell.shifts(), 'nothing of the page has moved').toBe(0);
});

told('what the badge counts was delivered, and not seen before the list is', async ({ told: { host, prefix, bell }, tidewatch }) => {
  const receiptOf = async (settlement: { id: string }) => {
    const found = await tidewatch.curl('GET', `/api/v1/events/search?types=settlement.created&resourceId=${settlement.id}`);
    const { eventId } = found.json.events[0];
    const answer = await tidewatch.curl('GET', `/api/v1/events/${eventId}/notifications`);
    return answer.json.notifications[0].receipts[0];
  };
  // One that was there before the bell, and one that comes while it listens.
  const before = await tidewatch.create(`${prefix}-1`);
  await expect(async () => expect((await receiptOf(before)).deliveredAt).toBeNull()).toPass();
  await bell.open(host.url);
  await expect(bell.badge).toHaveText('1');
  await expect.poll(async () => (await receiptOf(before)).deliveredAt).toEqual(expect.any(String));
  const live = await tidewatch.create(`${prefix}-2`);
  await expect(bell.badge).toHaveText('2');
  await expect.poll(async () => (await receiptOf(live)).deliveredAt).toEqual(expect.any(String));
  for (const settlement of [before, live]) expect((await receiptOf(settlement)).seenAt).toBeNull();
  await bell.toggle.click();
  await expect.poll(async () => (await receiptOf(live)).seenAt).toEqual(expect.any(String));
});

told.describe('what must be acknowledged', () => {
  told.use({ more: { mustAcknowledge: true, priority: 'high' } });

  told('is acknowledged from another site', async ({ told: { host, prefix, bell }, tidewatch }) => {
    await bell.open(host.url);
    await tidewatch.create(`${prefix}-1`);
    await expect(bell.toggle).toHaveAccessibleName('Notifications: 1 unread, 1 to acknowledge');
    await bell.toggle.click();
    const item = bell.item(`${prefix}-1`);
    // Not by a colour alone.
    await expect(item).toContainText('High priority');
    // To read it is not to be done with it: it stays, and so does what is to be done.
    await item.getByRole('button', { name: 'Mark read' }).click();
    await expect(bell.toggle).toHaveAccessibleName('Notifications: 1 to acknowledge');
    await expect(item.getByRole('button', { name: 'Mark read' })).toBeHidden();
    await bell.page.keyboard.press('Escape');
    await bell.toggle.click();
    await item.getByRole('button', { name: 'Acknowledge' }).click();
    await expect(bell.item(`${prefix}-1`)).toHaveCount(0);
    await expect(bell.badge).toBeHidden();
    const { token } = await host.token();
    const answer = await fetch(`${tidewatch.url}/api/v1/notifications?folder=all`, { headers: { authorization: `Bearer ${token}` } });
    const [notification] = ((await answer.json()) as any).notifications;
    expect(notification).toMatchObject({ acknowledgedAt: expect.any(String), readAt: expect.any(String), seenAt: expect.any(String) });
  });
});

for (const moment of ['before it is noted', 'while it is noted'] as const) {
  told(`who follows a notification has read it, though its page is in the background ${moment}`, async ({ told: { host, prefix, bell }, tidewatch, page }) => {
    // A test's browser shows all of its tabs at once: the page is told what it would be told.
    await page.addInitScript((moment) => {
      const hide = () => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
        document.dispatchEvent(new Event('visibilitychange'));
      };
      if (moment === 'before it is noted') document.addEventListener('tidewatch-open', hide);
      const ask = window.fetch;
      window.fetch = (input, init) => {
        const answer = ask(input, init);
        if (moment === 'while it is noted' && init?.method === 'POST' && String(input).endsWith('/read')) hide();
        return answer;
      };
    }, moment);
    await bell.open(host.url);
    await tidewatch.create(`${prefix}-1`);
    await expect(bell.badge).toHaveText('1');
    await bell.toggle.click();
    const opened = page.context().waitForEvent('page');
    await bell.item(`${prefix}-1`).getByRole('link', { name: 'Open' }).click();
    await (await opened).close();
    const { token } = await host.token();
    await expect.poll(async () => {
      const answer = await fetch(`${tidewatch.url}/api/v1/notifications?folder=all`, { headers: { authorization: `Bearer ${token}` } });
      return ((await answer.json()) as any).notifications[0].readAt;
    }).toEqual(expect.any(String));
  });
}

told('a count that fails is asked for again, and no number is said until then', async ({ told: { host, bell }, page }) => {
  let asked = 0;
  await page.route(/\/notifications\/count$/, (route) => ((asked += 1) === 1 ? route.abort() : route.continue()));
  await bell.open(host.url);
  await expect.poll(() => asked).toBeGreaterThan(0);
  await expect(bell.toggle).toHaveAccessibleName('Notifications');
  await expect(bell.toggle).toHaveAccessibleName('Notifications: Nothing unread');
});

told('older ones are a click away', async ({ told: { host, prefix, bell }, tidewatch }) => {
  told.slow();
  for (let number = 1; number <= 21; number += 1) await tidewatch.create(`${prefix}-${number}`);
  await bell.open(host.url);
  await expect(bell.badge).toHaveText('21');
  await bell.toggle.click();
  await expect(bell.panel.locator('li')).toHaveCount(20);
  await bell.panel.getByRole('button', { name: 'Show older ones' }).click();
  await expect(bell.panel.locator('li')).toHaveCount(21);
  await expect(bell.panel.getByRole('button', { name: 'Show older ones' })).toBeHidden();
});

told('in another language it says everything anew', async ({ told: { host, prefix, bell }, tidewatch, page }) => {
  await bell.open(host.url);
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  await bell.toggle.click();
  await expect(bell.item(`${prefix}-1`)).toBeVisible();
  await page.evaluate(() => {
    const labels = {
      notifications: 'Mitteilungen', unread: (count: number) => `${count} ungelesen`, open: 'Öffnen', read: 'Gelesen',
      readAll: 'Alle gelesen', close: 'Schließen', empty: 'Nichts ungelesen',
    };
    Object.assign(document.querySelector('tidewatch-bell') as object, { labels });
  });
  const panel = bell.host.getByRole('dialog', { name: 'Mitteilungen' });
  await expect(panel.getByRole('heading')).toHaveText('Mitteilungen');
  await expect(panel.getByRole('link')).toHaveText('Öffnen');
  await expect(panel.getByRole('button')).toHaveText(['Alle gelesen', '✕', 'Gelesen']);
  await expect(panel.getByRole('button', { name: 'Schließen' })).toBeVisible();
  await panel.getByRole('button', { name: 'Gelesen', exact: true }).click();
  await expect(panel).toContainText('Nichts ungelesen');
});

told('a browser that knows no popovers has a badge, and the inbox a click away', async ({ told: { host, prefix, bell }, tidewatch, page }) => {
  await page.addInitScript(() => {
    Reflect.deleteProperty(HTMLElement.prototype, 'showPopover');
    const matches = Element.prototype.matches;
    Element.prototype.matches = function (selector) {
      if (selector.includes(':popover-open')) throw new SyntaxError('no such pseudo-class');
      return matches.call(this, selector);
    };
  });
  await bell.open(host.url);
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  const opened = page.context().waitForEvent('page');
  await bell.toggle.click();
  expect((await opened).url()).toContain(`${tidewatch.url}/`);
});

told('it is used by keyboard alone', async ({ told: { host, prefix, bell }, tidewatch, page }) => {
  await bell.open(host.url);
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  await page.keyboard.press('Tab');
  await expect(bell.toggle).toBeFocused();
  await expect(bell.toggle).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('Enter');
  await expect(bell.panel).toBeVisible();
  await expect(bell.toggle).toHaveAttribute('aria-expanded', 'true');
  await expect(bell.panel.getByRole('heading')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(bell.panel).toBeHidden();
  await expect(bell.toggle).toBeFocused();
  await page.keyboard.press('Space');
  await expect(bell.item(`${prefix}-1`)).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).include('tidewatch-bell').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)])).toEqual([]);
  // A click elsewhere closes it as well.
  await page.getByRole('textbox').click();
  await expect(bell.panel).toBeHidden();
  await expect(page.getByRole('textbox')).toBeFocused();
});

told('styles leak neither in nor out', async ({ told: { host, prefix, bell }, tidewatch, page }) => {
  const looks = async () => {
    await tidewatch.create(`${prefix}-1`);
    await expect(bell.badge).toBeVisible();
    const box = await bell.host.boundingBox();
    await bell.toggle.click();
    const title = bell.item(`${prefix}-1`).locator('.title').first();
    await expect(title).toBeVisible();
    const styles = await title.evaluate((element) => {
      const { color, fontSize, textTransform, letterSpacing, lineHeight, textIndent, display } = getComputedStyle(element);
      return { color, fontSize, textTransform, letterSpacing, lineHeight, textIndent, display };
    });
    await expect(bell.panel.getByRole('button', { name: 'Mark read' }).first()).toBeVisible();
    return { styles, size: [box?.width, box?.height] };
  };
  await bell.open(host.url);
  const plain = await looks();
  const ours = page.locator('p.badge.title');
  const before = await ours.evaluate((element) => ({ ...getComputedStyle(element) }));
  expect(await page.evaluate(() => [document.styleSheets.length, document.adoptedStyleSheets.length])).toEqual([1, 0]);
  await page.evaluate(() => document.querySelector('tidewatch-bell')?.remove());
  expect(await ours.evaluate((element) => ({ ...getComputedStyle(element) })), 'nothing leaks out').toEqual(before);

  await bell.open(`${host.url}/hostile`);
  expect(await looks(), 'nothing leaks in').toEqual({ ...plain, size: [40, 40] });
  expect(plain.size).toEqual([40, 40]);
});

told('a token is renewed before it ends, and when it is refused', async ({ told: { host, prefix, bell }, tidewatch }) => {
  host.bad.push('not.a.token');
  // It says that a token ends in a minute and some seconds: a minute before, there is another.
  host.life = 71_000;
  await bell.open(host.url);
  expect(host.asked, 'a second one at once, for the first was refused').toBe(2);
  await expect.poll(() => host.asked, { timeout: 30_000 }).toBe(3);
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  expect(await bell.shifts()).toBe(0);
});

for (const [clock, minutes] of [['fast', 15], ['slow', -15]] as const) {
  told(`a token is renewed in time by a clock that is ${clock}`, async ({ told: { host, prefix, bell }, tidewatch, page }) => {
    await page.addInitScript((shift) => {
      const [now, wait] = [Date.now, window.setTimeout];
      const waits: number[] = [];
      Date.now = () => now() + shift;
      window.setTimeout = ((run: () => void, time = 0) => {
        waits.push(time);
        return wait(run, time);
      }) as typeof window.setTimeout;
      Object.assign(window, { waits });
    }, minutes * 60_000);
    await bell.open(host.url);
    // It counts for ten minutes: a minute before, there is another. All else waits for less, or for a minute.
    const waits = () => page.evaluate(() => (window as unknown as { waits: number[] }).waits.filter((time) => time > 100_000));
    await expect.poll(waits).toEqual([540_000]);
    await tidewatch.create(`${prefix}-1`);
    await expect(bell.badge).toHaveText('1');
    expect(host.asked, 'and none before').toBe(1);
  });
}

told('the gateway takes no token of a bell', async ({ told: { host }, tidewatch }) => {
  const { token } = await host.token();
  for (const transport of ['websocket', 'polling'] as const) {
    expect(await Client.refused(tidewatch.url, token, transport)).toContain('bell');
  }
});
