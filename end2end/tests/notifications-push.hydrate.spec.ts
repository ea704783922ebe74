import type { Locator, Page } from '@playwright/test';
import { logIn } from '../fixtures/notifications.ts';
import { expect, test } from '../fixtures/test.ts';
import { InboxPage } from '../pages/inbox.ts';

// A server that sends e-mail and pushes: both can be chosen, and this browser can be told.
test.use({
  settings: {
    TIDEWATCH_SMTP_URL: 'smtp://127.0.0.1:9',
    TIDEWATCH_MAIL_FROM: 'Tidewatch <news@example.test>',
    TIDEWATCH_PUBLIC_URL: 'https://tidewatch.example.test',
  },
});

/**
 * A push service is somebody else's: what the browser would answer of its own. `subscribed` in the storage is the key that
 * the browser is subscribed under.
 */
async function answerForPushService(page: Page): Promise<void> {
  await page.context().grantPermissions(['notifications']);
  await page.addInitScript(async () => {
    const text = (bytes: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
    const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const keys = { p256dh: text(await crypto.subtle.exportKey('raw', publicKey)), auth: text(crypto.getRandomValues(new Uint8Array(16)).buffer) };
    const endpoint = 'https://push.example.test/one';
    const made = Object.create(PushSubscription.prototype, {
      endpoint: { value: endpoint },
      toJSON: { value: () => ({ endpoint, expirationTime: null, keys }) },
      unsubscribe: { value: async () => (localStorage.removeItem('subscribed'), true) },
    });
    PushManager.prototype.getSubscription = async () => (localStorage.getItem('subscribed') ? made : null);
    PushManager.prototype.subscribe = async (options) => {
      if (!options?.userVisibleOnly || !options.applicationServerKey) throw new Error('a key is needed');
      const key = String(options.applicationServerKey);
      if ((localStorage.getItem('subscribed') ?? key) !== key) throw new DOMException('another key', 'InvalidStateError');
      localStorage.setItem('subscribed', key);
      return made;
    };
  });
}

const turnOn = (page: Page) => page.getByRole('button', { name: 'Turn on here' });
const turnOff = (page: Page) => page.getByRole('button', { name: 'Turn off here' });
const isSubscribed = (page: Page) => page.evaluate(() => localStorage.getItem('subscribed') !== null);

/** Presses the button, and gives what the server said to that. */
async function press(page: Page, button: Locator, method: 'POST' | 'DELETE'): Promise<number> {
  const answer = page.waitForResponse((answer) =>
    new URL(answer.url()).pathname.endsWith('/push-subscriptions') && answer.request().method() === method);
  await button.click();
  return (await answer).status();
}

async function openSettings(page: Page, query = ''): Promise<void> {
  await page.goto(`/notifications/settings${query}`);
  await new InboxPage(page).isLive();
}

test('this browser is told, and no longer, as the person says', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  await answerForPushService(page);
  await logIn(page, person);
  await openSettings(page);
  const everything = page.locator('[data-pattern="*"]');
  await expect(everything.getByLabel('E-mail')).toHaveValue('digest');
  await expect(everything.getByLabel('Pushed to your browsers')).toBeChecked();
  await expect(page.locator('select[name="settings[digest]"]')).toHaveValue('daily');

  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await expect(turnOff(page)).toBeVisible();
  await openSettings(page);
  expect(await press(page, turnOff(page), 'DELETE')).toBe(204);
  await expect(turnOn(page)).toBeVisible();
  await openSettings(page);
  await expect(turnOn(page), 'whatever the browser says of itself').toBeVisible();

  await everything.getByLabel('E-mail').selectOption('instant');
  await page.locator('select[name="settings[digest]"]').selectOption('weekly');
  await page.getByRole('button', { name: 'Save the settings' }).click();
  await expect(page.locator('.toast', { hasText: 'Your settings are saved.' })).toBeVisible();
  await page.reload();
  await expect(everything.getByLabel('E-mail')).toHaveValue('instant');
  await expect(page.locator('select[name="settings[digest]"]')).toHaveValue('weekly');
});

test('one project is turned on and off for itself, though the browser has one subscription', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  await tidewatch.addProject('quay', person.email, ['viewer']);
  await answerForPushService(page);
  await logIn(page, person);
  await openSettings(page);
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await openSettings(page, '?project=quay');
  await expect(turnOn(page), 'nothing was said of this one').toBeVisible();
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await expect(turnOff(page)).toBeVisible();

  expect(await press(page, turnOff(page), 'DELETE')).toBe(204);
  await expect(turnOn(page)).toBeVisible();
  expect(await isSubscribed(page), 'the other one is told by it').toBe(true);
  await openSettings(page);
  await expect(turnOff(page)).toBeVisible();
});

test('who signs in after another in the same browser is told only once they say so', async ({ page, tidewatch }) => {
  const [ann, bob] = [await tidewatch.addPerson(['viewer']), await tidewatch.addPerson(['viewer'])];
  await answerForPushService(page);
  await logIn(page, ann);
  await openSettings(page);
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await expect(turnOff(page)).toBeVisible();
  // As a browser is that was closed while somebody was signed in.
  await page.context().clearCookies();
  await logIn(page, bob);
  await openSettings(page);
  await expect(turnOn(page)).toBeVisible();
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await expect(turnOff(page)).toBeVisible();
  await openSettings(page);
  await expect(turnOff(page)).toBeVisible();
});

test('a subscription under a key that the server had before gives way', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  await answerForPushService(page);
  await logIn(page, person);
  await page.evaluate(() => localStorage.setItem('subscribed', 'another key'));
  await openSettings(page);
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  await expect(turnOff(page)).toBeVisible();
});

test('where the browser knows no Web Push there is no button for it', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  await page.addInitScript(() => Reflect.deleteProperty(window, 'PushManager'));
  await logIn(page, person);
  await page.goto('/notifications/settings');
  await new InboxPage(page).isLive();
  await expect(page.getByRole('heading', { name: 'In this browser' })).toHaveCount(0);
});

test('the service worker shows what is pushed, whatever that is, and the same notification once', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  await answerForPushService(page);
  await logIn(page, person);
  await openSettings(page);
  const devtools = await page.context().newCDPSession(page);
  const registration = new Promise<string>((resolve) =>
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const active = registrations.find(({ scopeURL, isDeleted }) => scopeURL.startsWith(tidewatch.url) && !isDeleted);
      if (active) resolve(active.registrationId);
    }));
  await devtools.send('ServiceWorker.enable');
  expect(await press(page, turnOn(page), 'POST')).toBe(204);
  const registrationId = await registration;
  // What is handed to a worker that is not yet active is dropped.
  const state = () => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state);
  await expect.poll(state).toBe('activated');
  // What a push service would hand to the browser, decrypted.
  const push = (data: string) => devtools.send('ServiceWorker.deliverPushMessage', { origin: tidewatch.url, registrationId, data });
  const shown = () => page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const notifications = await registration.getNotifications();
    return notifications.map(({ title, body, tag, data, requireInteraction }) => ({ title, body, tag, url: data.url, requireInteraction }));
  });
  const message = { id: 'ntf_1', title: 'Settlement failed', body: 'Reference A-1', url: '/notifications/ntf_1', mustAcknowledge: true };
  const notification = { title: message.title, body: message.body, tag: message.id, url: message.url, requireInteraction: true };
  await push(JSON.stringify(message));
  await expect.poll(shown).toEqual([notification]);
  await push(JSON.stringify({ ...message, body: 'Reference A-1, again' }));
  await expect.poll(shown, 'one notification is shown once').toEqual([{ ...notification, body: 'Reference A-1, again' }]);
  await push('not what the server sends');
  await expect.poll(async () => (await shown()).map(({ title }) => title).sort()).toEqual(['Settlement failed', 'Tidewatch']);
});
