// The service worker of Web Push: shows what is pushed, and opens what it leads to.
'use strict';

/** What the server pushes: see PushMessage in server/src/notifications/outside/push.rs. */
function read(data) {
  try {
    const { id, title, body, url, mustAcknowledge } = data.json();
    return { id: String(id), title: String(title), body: String(body ?? ''), url: String(url ?? '/notifications'), mustAcknowledge: mustAcknowledge === true };
  } catch {
    // A browser wants something shown for each push, whatever is in it.
    return { id: 'tidewatch', title: 'Tidewatch', body: 'You have a notification.', url: '/notifications', mustAcknowledge: false };
  }
}

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));

self.addEventListener('push', (event) => {
  const { id, title, body, url, mustAcknowledge } = read(event.data);
  const options = { body, tag: id, data: { url }, icon: '/favicon.svg', requireInteraction: mustAcknowledge };
  event.waitUntil(self.registration.showNotification(title, options));
});

/** An address that a notification may lead to: one of our own pages, or another site's by TLS. */
function destination(url) {
  const target = new URL(url, self.location.origin);
  const ours = target.origin === self.location.origin;
  return ours || target.protocol === 'https:' ? target : new URL('/notifications', self.location.origin);
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const target = destination(event.notification.data?.url ?? '/notifications');
  event.waitUntil(open(target));
});

/** In a tab that shows it already, or else in a new one. */
async function open(target) {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const shown = tabs.find((tab) => tab.url === target.href);
  if (shown) {
    await shown.focus();
  } else {
    await self.clients.openWindow(target.href);
  }
}

// The browser was given another subscription: the server is told, so that nothing is lost. What was turned off stays so.
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event)));

async function renew({ oldSubscription, newSubscription }) {
  if (oldSubscription && !(await isKnown(oldSubscription.endpoint))) return;
  const options = oldSubscription?.options ?? { userVisibleOnly: true, applicationServerKey: await key() };
  const subscription = newSubscription ?? (await self.registration.pushManager.subscribe(options));
  const { endpoint, keys } = subscription.toJSON();
  await ask('/api/v1/notifications/push-subscriptions', 'POST', { endpoint, keys });
  if (oldSubscription && oldSubscription.endpoint !== endpoint) {
    await ask('/api/v1/notifications/push-subscriptions', 'DELETE', { endpoint: oldSubscription.endpoint });
  }
}

/** Whether whoever is signed in is told there: the browser keeps its subscription when somebody turns it off. */
async function isKnown(endpoint) {
  const answer = await ask('/api/v1/notifications/push-subscriptions/check', 'POST', { endpoint });
  return (await answer.json()).subscribed === true;
}

async function key() {
  const answer = await ask('/api/v1/notifications/push-key');
  return (await answer.json()).key;
}

/** The project in which this browser was told to be told: it stands in this script's own address. */
const project = new URL(self.location.href).searchParams.get('project');

/** Asks the server, in that project, and fails where it refuses. */
async function ask(path, method = 'GET', body = undefined) {
  const address = project ? `${path}?project=${encodeURIComponent(project)}` : path;
  const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(address, { method, ...content });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}`);
  return answer;
}
